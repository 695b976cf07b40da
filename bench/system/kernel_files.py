"""Small files that a kernel or a board offers, read under any root. It knows paths, and no file's meaning.

`root` is `/` on a machine, and a folder of recorded files in a test.
"""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def text(path: Path) -> str | None:
    """Return a file's text without the white space around it; None where there is no such file to read."""
    try:
        return path.read_text(errors="replace").strip("\0 \n\t")
    except OSError:  # the kernel or the board has no such file, or lets nobody read it
        return None


def number(path: Path) -> int | None:
    """Return the whole number that a file holds; None where there is no such file or no number in it."""
    try:
        return int(text(path) or "")
    except ValueError:
        return None


def folders(parent: Path, pattern: str) -> Iterator[Path]:
    """Yield the folders below `parent` that match, in order; none where there is no such folder."""
    yield from sorted(parent.glob(pattern))
