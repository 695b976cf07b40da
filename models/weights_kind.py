"""Where starting weights come from, in words. It knows no weights and imports no torch."""

import difflib
from enum import Enum
from pathlib import Path

from models.errors import InputError
from models.sources.names import check_path
from user_files.faults import why_unreadable
from user_files.missing_paths import missing_hint


class WeightsKind(str, Enum):
    """Where starting weights come from."""

    IMAGENET = "imagenet"
    BUNDLED = "bundled"
    NONE = "none"
    FILE = "file"


def weights_kind(weights: str) -> WeightsKind:
    """Return the kind of a value of `--weights`, which is a name or an existing file."""
    named = (WeightsKind.IMAGENET, WeightsKind.BUNDLED, WeightsKind.NONE)
    for kind in named:
        if weights == kind.value:
            return kind
    if not Path(weights).exists():
        close = difflib.get_close_matches(weights, [kind.value for kind in named], n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        remedy = f"{hint}give imagenet, bundled, none or a FILE"
        raise InputError(
            why_unreadable(Path(weights))
            or f"--weights {weights} is neither a name nor an existing file; "
            f"{'; '.join(filter(None, (missing_hint(weights), remedy)))}"
        )
    check_path(weights, "--weights")
    return WeightsKind.FILE
