"""Makes files and folders survive a power loss. It does not know their content."""

import errno
import os
from pathlib import Path

from user_files.reading import naming

# The errors of file systems that cannot sync folders.
_CANNOT = (errno.EINVAL, errno.ENOTSUP)


def sync_all(folder: Path) -> None:
    """Wait until a folder and everything in it are on disk."""
    for here, _, names in os.walk(folder):
        for name in names:
            with naming(Path(here, name)), Path(here, name).open("rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(here))


def make_folder(folder: Path) -> None:
    """Create a folder, and those above it; when this returns, they survive a power loss."""
    folder = folder.absolute()
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync_folder(each.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on disk."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder that this user may write, and not read
        os.sync()
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            error.filename = str(folder)
            raise
    finally:
        os.close(descriptor)
