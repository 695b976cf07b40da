"""edgefit's own folder on a machine: what is kept from one run to the next. It knows no file in it."""

import os
from pathlib import Path

from bench.errors import InputError


def cache_folder(part: str) -> Path:
    """Return the folder for one kind of kept thing, made if need be.

    $EDGEFIT_CACHE, else $XDG_CACHE_HOME/edgefit, else ~/.cache/edgefit. Raises InputError if it cannot be
    made.
    """
    if own := os.environ.get("EDGEFIT_CACHE"):
        whole = Path(own)
    else:
        whole = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgefit"
    folder = whole / part
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be made ({error.strerror}); set EDGEFIT_CACHE to a folder that can be written"
        ) from None
    return folder
