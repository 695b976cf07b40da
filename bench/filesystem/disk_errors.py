"""Errors of the disk: which file they concern, what to do about them, and those that a library hid."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path

from bench.filesystem.temporary_names import is_temporary
from bench.filesystem.trying import try_to_write
from user_files.own_folders import CACHE_VARIABLE, cache
from user_files.reading import naming

# What a disk, a quota or a limit says that takes no more.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REMEDIES: tuple[tuple[tuple[int, ...], str], ...] = (
    ((errno.ENOSPC,), "free some space there, or use another disk"),
    ((errno.EDQUOT,), "free some of this user's quota there, or use another disk"),
    ((errno.EFBIG,), "raise the limit on the size of a file (ulimit -f), or use another file system"),
    ((errno.EACCES, errno.EPERM), "check its permissions and those of its folder, or use another path"),
    ((errno.EROFS,), "use a file system that is not read-only"),
    (
        (errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ETIMEDOUT, errno.EREMOTEIO),
        "the disk or the network drive fails: check it, or use another one",
    ),
    ((errno.EMFILE, errno.ENFILE), "raise the limit on open files (ulimit -n)"),
    ((errno.ENOLCK,), "its file system keeps no locks; use a folder on a local disk"),
    (
        (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY),
        "check the path, or use another one",
    ),
)
_ANY_REMEDY = "check it, and the disk that it is on"
_NO_MORE_FILES = "its file system has no inodes left: delete files there, or use another disk"
_UNNAMED = "a file, or what the output goes to,"
_PROBE_BYTES = 1 << 20
_OPENVINO_CANNOT_WRITE = "iostream error"


def sentence_on(error: OSError) -> str:
    """Return what to say of an error of the disk: the file that it names, why, and what to do."""
    if error.errno in _FULL:
        # Copying names the file that is read first; what a full disk did not take is the other one.
        return why_unwritten(error, error.filename2 or error.filename or _UNNAMED)
    return _sentence(error, f"{error.filename or _UNNAMED}", "read or written")


def why_unwritten(error: OSError, path: str | Path) -> str:
    """Return the same of a file or folder that could not be written, whatever the error names."""
    return _sentence(error, str(path), "written")


def why_unread(error: OSError, path: str | Path) -> str:
    """Return the same of a file or folder that could not be read."""
    return _sentence(error, str(path), "read")


def _sentence(error: OSError, path: str, what: str) -> str:
    remedy = next((remedy for kinds, remedy in _REMEDIES if error.errno in kinds), _ANY_REMEDY)
    if error.errno == errno.ENOSPC and _lacks_inodes(Path(path)):
        remedy = _NO_MORE_FILES
    why = error.strerror or os.strerror(error.errno or 0)
    return f"{path} cannot be {what} ({why}); {remedy}{_elsewhere(Path(path))}"


def _elsewhere(path: Path) -> str:
    """Return how another place is chosen for a file whose place is no option of a command."""
    if (whole := cache()) is not None and path.is_relative_to(whole):
        return f", or set {CACHE_VARIABLE} to another folder"
    return ", or set TMPDIR to another folder" if is_temporary(path) else ""


def _lacks_inodes(path: Path) -> bool:
    """Tell whether a disk is full because it takes no more files: it may have free bytes then."""
    there = next((each for each in (path, *path.absolute().parents) if os.path.exists(each)), None)
    if there is None:
        return False
    status = os.statvfs(there)
    return status.f_files > 0 and status.f_favail == 0


@contextmanager
def naming_what_filled(folder: Path, target: Path) -> Iterator[None]:
    """Do the same for `target`, which is made in the hidden `folder`; say so too where a library does not.

    torch and OpenVINO raise errors of their own when a disk is full, and zipfile one that hides it.
    """
    try:
        with naming(target):
            yield
    except OSError as error:
        error.filename, error.filename2 = (
            _in_target(name, folder, target) for name in (error.filename, error.filename2)
        )
        raise
    except Exception as error:
        if not hasattr(error, "exit_code"):
            with naming(target):
                raise_if_unwritten(folder, str(error))
        raise


def _in_target(name: object, folder: Path, target: Path) -> object:
    """Return a path below the hidden folder as the user knows it, and any other one as it is.

    What is hidden in the folder itself is scratch, which nobody knows.
    """
    if isinstance(name, (str, os.PathLike)) and Path(name).is_relative_to(folder):
        parts = Path(name).relative_to(folder).parts
        return str(target.joinpath(*takewhile(lambda part: not part.startswith("."), parts)))
    return name


def raise_if_unwritten(folder: Path, message: str) -> None:
    """Raise OSError without a file name if a library failed because it could not write in a folder.

    `message`: what the library said. Some libraries delete what they wrote, so that there is space again.
    """
    raise_if_full(folder)
    for number in _FULL:
        if os.strerror(number) in message:
            raise OSError(number, os.strerror(number))
    if _OPENVINO_CANNOT_WRITE in message:
        raise OSError(errno.ENOSPC, _OPENVINO_CANNOT_WRITE)


def raise_if_full(folder: Path) -> None:
    """Raise OSError without a file name if the disk of a folder takes no megabyte more, or fails."""
    try:
        try_to_write(folder, _PROBE_BYTES)
    except FileNotFoundError:  # the folder is gone, which is no error of its disk
        return
    except OSError as error:
        raise OSError(error.errno, error.strerror) from error
