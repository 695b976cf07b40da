"""Hidden names next to a result, for unfinished files, and which of these are abandoned.

Whoever makes something holds a lock (flock) on it: the kernel lets go of that when the process ends, however
it ends. What nobody holds was left by a killed process. Where a file system knows no locks nothing is swept.
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PART = ".part"
"""The suffix of an unfinished file or folder; any command deletes an abandoned one."""
OLD = ".old"
"""The suffix of an old result while a new one replaces it."""
_ANY_PART = re.compile(rf"\.(.+)\.[0-9]+-[0-9a-f]{{8}}{re.escape(PART)}")


def name_beside(path: Path, suffix: str) -> Path:
    """Return a hidden name that nobody else uses, on the same file system as `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{suffix}")


def names_beside(path: Path, suffix: str) -> list[Path]:
    """Return the names beside `path` that `name_beside` gave to any process, in order."""
    path = path.absolute()
    pattern = re.compile(rf"\.{re.escape(path.name)}\.[0-9]+-[0-9a-f]{{8}}{re.escape(suffix)}")
    try:
        names = sorted(os.listdir(path.parent))
    except OSError:  # the folder is missing, or must not be read
        return []
    return [path.with_name(name) for name in names if pattern.fullmatch(name)]


@contextmanager
def new_file(part: Path) -> Iterator[BinaryIO]:
    """Create a file that no other command deletes while the block runs."""
    while True:
        file = part.open("wb")
        if lock_new(part, file.fileno()):
            break
        file.close()  # another command deleted it before it was locked
    with file:
        yield file


@contextmanager
def new_folder(part: Path) -> Iterator[None]:
    """Create a folder that no other command deletes while the block runs."""
    while True:
        part.mkdir(exist_ok=True)
        with suppress(FileNotFoundError):
            descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY)
            if lock_new(part, descriptor):
                break
            os.close(descriptor)
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def held(path: Path) -> Iterator[bool | None]:
    """Lock a file or folder while the block runs.

    Yields False if another process has locked it, None if that is unknown, for example if it is missing.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield _try_to_lock(path, descriptor)
    finally:
        os.close(descriptor)


def sweep_parts(path: Path) -> None:
    """Delete unfinished files of `path` that killed processes left."""
    for part in names_beside(path, PART):
        with held(part) as is_abandoned:
            if is_abandoned:
                _remove(part)


def sweep_all_parts(folder: Path) -> None:
    """Delete the unfinished files of everything in a folder that is edgefit's own."""
    try:
        names = os.listdir(folder)
    except OSError:  # the folder is missing, or must not be read
        return
    for target in {found[1] for name in names if (found := _ANY_PART.fullmatch(name))}:
        sweep_parts(folder / target)


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):  # it belongs to another user, who will delete it
            part.unlink()


def remove_folder(folder: Path) -> None:
    """Delete a folder, if it is there, with everything in it; raises OSError with its name if that fails.

    Of a symbolic link the link is deleted, and nothing in the folder that it leads to.
    """
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        try:
            shutil.rmtree(folder)
        except OSError as error:
            error.filename = str(folder)  # rmtree names a file in it, without its folder
            raise


def lock_new(path: Path, descriptor: int) -> bool:
    """Lock what was just created, and return whether it still exists."""
    with suppress(OSError):  # no locks here
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return is_at(path, descriptor)


def _try_to_lock(path: Path, descriptor: int) -> bool | None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return None
    return is_at(path, descriptor)


def is_at(path: Path, descriptor: int) -> bool:
    """Return whether an open file is still the one with this name: a lock on a deleted file is worthless."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
