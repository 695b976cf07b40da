"""Tries whether this board's folder can hold what a measurement needs, before anything is sent there.

Packages are loaded from it as programs are, an environment has a link in it, and only this user may read it.
The file systems of memory cards and network drives may permit none of this.
"""

import mmap
import os
from pathlib import Path
from typing import IO

from bench.remote.agent.store import RefusedError, Store, part_path, remove

ANOTHER_FOLDER = (
    "choose another folder with XDG_CACHE_HOME: for ssh logins, make this the first line of ~/.bashrc on the"
    " board: export XDG_CACHE_HOME=/path/of/the/folder"
)
"""What to do about a folder that does not permit what a measurement needs."""


def lock_and_try(store: Store) -> "IO[bytes]":
    """Lock the store, and return the lock; raises RefusedError where its folder cannot be used.

    A store that was not there before is not there then either.
    """
    is_new = not store.root.exists()
    lock = store.lock()
    try:
        _try(store)
    except (RefusedError, OSError):
        lock.close()
        if is_new:
            store.remove_all()
        raise
    return lock


def _try(store: Store) -> None:
    folder = part_path(store.folder("blobs") / "trial")
    remove(folder)
    try:
        folder.mkdir(mode=0o700)
        if folder.stat().st_mode & 0o077:
            raise _refusal(store, "every user of the board can read what lies there, as on a FAT file system")
        _link(store, folder / "link")
        _run(store, folder / "program")
    finally:
        remove(folder)


def _link(store: Store, path: Path) -> None:
    try:
        path.symlink_to("program")
    except OSError as error:
        raise _refusal(store, f"no link can be made there ({error.strerror})") from None


def _run(store: Store, path: Path) -> None:
    """Load a file as a program's code is loaded: where noexec or a security module forbids it, this fails."""
    path.write_bytes(bytes(mmap.PAGESIZE))
    with path.open("rb") as file:
        try:
            mmap.mmap(file.fileno(), mmap.PAGESIZE, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC).close()
        except OSError as error:
            raise _refusal(
                store, f"no program can run from there ({os.strerror(error.errno or 0)})"
            ) from None


def _refusal(store: Store, reason: str) -> RefusedError:
    return RefusedError(f"{store.root}: {reason}; {ANOTHER_FOLDER}")
