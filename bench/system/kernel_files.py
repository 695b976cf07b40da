"""Small files of a kernel or a board, read below any root. It does not know what they mean.

`root` is `/` on a machine, and a folder of recorded files in a test.
"""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def text(path: Path) -> str | None:
    """Return a file's text without the white space around it; None if there is no such file."""
    try:
        return path.read_text(errors="replace").strip("\0 \n\t")
    except OSError:  # the file is missing, or must not be read
        return None


def number(path: Path) -> int | None:
    """Return the whole number in a file; None if there is no such file, or no number in it."""
    try:
        return int(text(path) or "")
    except ValueError:
        return None


def folders(parent: Path, pattern: str) -> Iterator[Path]:
    """Yield the matching folders below `parent` in order; none if there is no such folder."""
    yield from sorted(parent.glob(pattern))
