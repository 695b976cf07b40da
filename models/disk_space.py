"""Space of a disk that is taken before it is used, so that a disk with too little is said before long work.

It knows no content. What is asked is whether the space can be taken, not how much the disk says is free:
a quota, or a limit on the size of a file, leaves less.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from models.errors import InputError

# The errors of file systems that reserve no space; the C library writes zeros there, but not every one does.
_CANNOT_RESERVE = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


@contextmanager
def taking(needed: int, what: str, folder: Path) -> Iterator[None]:
    """Say in an InputError that the block could not take the bytes that `what` needs below `folder`."""
    try:
        yield
    except OSError as error:
        is_limited = error.errno == errno.EFBIG
        remedy = "raise the limit on the size of a file (ulimit -f)" if is_limited else "free some space"
        raise InputError(
            f"{folder}: {what} needs {needed / 1e6:,.1f} MB of disk there, and a file of that size cannot be "
            f"made ({error.strerror}); {remedy}, or choose an --out on another disk"
        ) from error


def reserve_files(folder: Path, sizes: Mapping[str, int]) -> None:
    """Make files of these sizes, which whoever writes them later overwrites. Raises OSError without space."""
    for name, size in sizes.items():
        with (folder / name).open("wb") as file:
            reserve(file.fileno(), size)


def reserve(descriptor: int, size: int) -> None:
    """Take the space on the disk now: a page of a file for which there is none ends the process when written.

    Raises OSError if the disk has too little.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in _CANNOT_RESERVE:
            raise
        zeros = bytes(1 << 20)
        written = 0
        while written < size:
            written += os.pwrite(descriptor, zeros[: size - written], written)
