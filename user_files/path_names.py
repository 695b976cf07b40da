"""Paths that no record and no other process can be given: their names are no text. It opens no file."""

import os
import sys

from user_files.names import has_unwritable


def why_unwritable(path: str | os.PathLike[str]) -> str | None:
    """Return why a record cannot name a path, and the remedy, to follow it and a colon; None if it can."""
    real = os.path.realpath(path)
    if not has_unwritable(real):
        return None
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8" and _is_text(os.fsencode(real)):
        return (
            f"its name, or that of a folder above it, has letters that {encoding.upper()} lacks, in which "
            "Python reads names here; set PYTHONUTF8=1"
        )
    return (
        "its name, or that of a folder above it, is not UTF-8 or has control characters, "
        "so a report cannot name it; rename it"
    )


def _is_text(name: bytes) -> bool:
    try:
        return not has_unwritable(name.decode())
    except UnicodeDecodeError:
        return False
