"""edgefit's cache folder, which stays from one run to the next. It knows no file in it."""

import os
from pathlib import Path

from bench.errors import InputError


def cache_folder(part: str) -> Path:
    """Return the folder for one part of the cache; create it if it is missing.

    It lies in $EDGEFIT_CACHE, else $XDG_CACHE_HOME/edgefit, else ~/.cache/edgefit. Raises InputError if it
    cannot be created.
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
            f"{folder} cannot be created ({error.strerror}); set EDGEFIT_CACHE to a writable folder"
        ) from None
    return folder
