"""Sees that files and folders survive a loss of power. It knows nothing of what they hold."""

import errno
import os
from pathlib import Path

# What file systems say that sync no folders.
_CANNOT = (errno.EINVAL, errno.ENOTSUP)


def sync_all(folder: Path) -> None:
    """Wait until all that lies in a folder, and the folder itself, is on the disk."""
    for here, _, names in os.walk(folder):
        for name in names:
            with Path(here, name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(here))


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)
