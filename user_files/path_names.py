"""Paths that no record and no other process can be given: their names are no text. It opens no file."""

import os
import re
import sys

UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]")
"""Control characters, line and paragraph ends, changes of direction, and lone surrogates, with which Python
shows the bytes of a name that its encoding lacks."""


def why_unwritable(path: str | os.PathLike[str]) -> str | None:
    """Return why a record cannot name a path, and the remedy, to follow it and a colon; None if it can."""
    real = os.path.realpath(path)
    if not UNWRITABLE.search(real):
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
        return not UNWRITABLE.search(name.decode())
    except UnicodeDecodeError:
        return False
