"""Errors of the disk: which file they concern, and which of them a library hid behind its own."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What a disk, a quota or a limit says that takes no more.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PROBE_BYTES = 1 << 20
_LEAST_BYTES = 1 << 12


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name `path` in an error of the disk that names no file, as that of a full disk does."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


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
                raise_if_full(folder)
        raise


def _in_target(name: object, folder: Path, target: Path) -> object:
    """Return a path below the hidden folder as the user knows it, and any other one as it is."""
    if isinstance(name, (str, os.PathLike)) and Path(name).is_relative_to(folder):
        return str(target / Path(name).relative_to(folder))
    return name


def raise_if_full(folder: Path) -> None:
    """Raise OSError without a file name if the disk of a folder takes no megabyte more."""
    try:
        try_to_write(folder, _PROBE_BYTES)
    except OSError as error:
        if error.errno in _FULL:
            raise OSError(error.errno, error.strerror) from error


def try_to_write(folder: Path, size: int = _LEAST_BYTES) -> None:
    """Write to a file that has no name; raises OSError if that cannot be done."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        left = memoryview(bytes(size))
        while left:
            left = left[file.write(left) :]
