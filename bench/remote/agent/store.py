"""edgefit's one folder on a board: files by their hashes, and how to remove all of it again.

Like everything in this package it runs on the board, and imports Python's standard library alone.
"""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_CHUNK = 1 << 20
_BLOB_LIFETIME_S = 30 * 24 * 3600
# The errors of file systems that cannot sync folders.
_CANNOT = (errno.EINVAL, errno.ENOTSUP)
_HEXADECIMAL = frozenset("0123456789abcdef")


class RefusedError(Exception):
    """The board cannot do what was requested; the message says why, and what to do."""


class Store:
    """A folder in which everything appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def usual(cls) -> "Store":
        """Return this user's: $XDG_CACHE_HOME/edgefit-board, else ~/.cache/edgefit-board.

        Raises RefusedError if there is neither.
        """
        own = os.environ.get("XDG_CACHE_HOME", "")
        try:
            return cls((Path(own) if os.path.isabs(own) else Path.home() / ".cache") / "edgefit-board")
        except RuntimeError:
            raise RefusedError(
                "this user has no home folder: HOME is not set; set XDG_CACHE_HOME to a writable folder"
            ) from None

    def folder(self, name: str) -> Path:
        """Return a folder of the store, which is made if it does not exist."""
        above = [parent for parent in self.root.parents if not parent.exists()]
        folder = self.root / name
        make_folder(folder)
        if above:
            write_whole(self.root / "made-above", "\n".join(str(parent) for parent in above))
        return folder

    def refuse_foreign(self) -> None:
        """Raise RefusedError if the store is not this user's alone, because its content is run."""
        if self.root.is_symlink():
            raise RefusedError(
                f"{self.root} is a symbolic link, and edgefit does not follow it; put a folder there"
            )
        if self.root.exists():
            status = self.root.stat()
            if status.st_uid != os.getuid() or status.st_mode & 0o022:
                raise RefusedError(
                    f"{self.root} belongs to another user, or others may write there; remove that folder"
                )

    def lock(self) -> "IO[bytes]":
        """Lock the store against a second command that prepares this board; closing the file unlocks it."""
        self.refuse_foreign()
        self.folder("blobs")
        self.refuse_foreign()  # what another user put there meanwhile
        lock = (self.root / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise RefusedError(
                "another command is preparing this board, or an interrupted one is still ending; run the"
                " command again in a minute"
            ) from None
        return lock

    def blob(self, sha256: str) -> Path:
        """Return the path for the file with this hash, whether it is there or not."""
        if len(sha256) != 64 or not _HEXADECIMAL.issuperset(sha256):
            raise RefusedError(f"'{sha256}' is not a SHA-256")
        return self.root / "blobs" / sha256

    def missing(self, hashes: list[str]) -> list[str]:
        """Return which of the files with these hashes are missing; the others count as used now.

        A file that a loss of power or a failing disk damaged is missing, and is removed.
        """
        return [sha256 for sha256 in dict.fromkeys(hashes) if not self._has(sha256)]

    def _has(self, sha256: str) -> bool:
        path = self.blob(sha256)
        if not os.path.lexists(path):
            return False
        if path.is_symlink() or _sha256_of(path) != sha256:
            remove(path)
            return False
        os.utime(path)
        return True

    def put(self, sha256: str, size_bytes: int, read: Callable[[int], bytes]) -> None:
        """Store a file that `read` returns piece by piece; raises RefusedError if it has another hash."""
        path = self.blob(sha256)
        self.folder("blobs")
        part = part_path(path)
        digest, left = hashlib.sha256(), size_bytes
        try:
            with part.open("wb") as file:
                while left:
                    if not (piece := read(min(left, _CHUNK))):
                        break  # it ended early, so its hash differs
                    digest.update(piece)
                    file.write(piece)
                    left -= len(piece)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != sha256:
                raise RefusedError("a file arrived damaged (its SHA-256 differs); run the command again")
            part.replace(path)
            sync_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what dead processes left unfinished, and files that no command used for a month."""
        for part in self.root.glob("*/*.part"):
            writer = part.name.split(".")[-2]
            if not writer.isdecimal() or not _is_alive(int(writer)):
                remove(part)
        for blob in self.root.glob("blobs/*"):
            if blob.suffix != ".part" and time.time() - blob.lstat().st_mtime > _BLOB_LIFETIME_S:
                remove(blob)

    def size_bytes(self) -> int:
        """Return how many bytes the store takes; files with two names count once."""
        sizes = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                with suppress(FileNotFoundError):
                    status = os.lstat(os.path.join(folder, name))
                    sizes[status.st_ino] = status.st_blocks * 512
        return sum(sizes.values())

    def remove_all(self) -> None:
        """Remove the store, and the folders above it that were made for it if nothing else lies in them."""
        record = self.root / "made-above"
        above = record.read_text(encoding="utf-8", errors="replace").splitlines() if record.is_file() else []
        if self.root.exists():
            shutil.rmtree(self.root)
        for folder in above:
            # Another program has put something there meanwhile, or a loss of power damaged the record.
            with suppress(OSError, ValueError):
                os.rmdir(folder)


def explain_os_error(error: OSError, store: Store) -> str:
    """Return what failed, and what to do where the disk is full."""
    failure = f"{error.filename or store.root}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{failure}; free some space there, or remove edgefit's folder (edgefit clean)"
    return failure


def part_path(path: Path) -> Path:
    """Return a path beside `path`, of this process's own, for what is being made; `sweep` removes it."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all; when this returns, it survives a loss of power."""
    part = part_path(path)
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it; when this returns, they survive a loss of power."""
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


def read_object(path: Path) -> "dict[str, Any] | None":
    """Return the object of JSON in a file; None if there is none, or a loss of power damaged it."""
    try:
        return object_in(path.read_bytes())
    except OSError:
        return None


def object_in(content: bytes) -> "dict[str, Any] | None":
    """Return the object that some JSON is; None if it is another value, or damaged."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sha256_of(path: Path) -> "str | None":
    """Return the SHA-256 of a file; None if it cannot be read, or is none."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                digest.update(piece)
    except OSError:
        return None
    return digest.hexdigest()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's process, which has the number now
        return False
    return True
