"""Lists what is in a zip archive, which may be cut off, damaged or made to do harm. It unpacks nothing."""

import zipfile
from pathlib import Path

from user_files.contents import ContentError


def is_zip(path: Path) -> bool:
    """Tell whether a file ends as a zip archive does; False of one that zipfile cannot read."""
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # of several disks, for example
        return False


def names_in_zip(path: Path) -> tuple[str, ...]:
    """Return the names of the members of a zip archive; raises ContentError if it is none, or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return tuple(archive.namelist())
    except Exception as error:  # struct.error, NotImplementedError, UnicodeDecodeError and others
        raise ContentError(f"is a damaged zip archive ({' '.join(str(error).split())})") from error


def names_in_any(path: Path) -> tuple[str, ...]:
    """Return the same, and nothing for what is no zip archive, or a damaged one."""
    try:
        return names_in_zip(path)
    except ContentError:
        return ()
