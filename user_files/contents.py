"""Reads the bytes of a user's file, if it is a file, and not larger than such a file can be.

A device, a pipe that nobody writes to, or a huge file would hold a command up, or fill the memory.
"""

import stat
from pathlib import Path

from user_files.reading import reading

LARGEST_DOCUMENT = 64 << 20
"""Bytes of the largest document that describes other files."""
LARGEST_RESULT = 1 << 30
"""Bytes of the largest result with measurements or pictures."""


class ContentError(ValueError):
    """A file that cannot be read as what it should be; the message says why, and follows the path."""


def content_of(path: Path, largest: int) -> bytes:
    """Return a file's bytes. Raises ContentError for what is no file, and for more than `largest` bytes."""
    state = path.stat()
    if stat.S_ISDIR(state.st_mode):
        raise ContentError("is a folder, not a file")
    if not stat.S_ISREG(state.st_mode):
        raise ContentError("is a device or pipe, not a file")
    if state.st_size <= largest:
        with reading(path) as file:
            content = file.read(largest + 1)  # the size of a file in /proc is 0
        if len(content) <= largest:
            return content
    raise ContentError(f"has more than {_amount(largest)}, which no such file has")


def _amount(count: int) -> str:
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"
