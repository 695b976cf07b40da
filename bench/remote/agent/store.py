"""edgefit's one folder on a board: files by their hashes, and how to remove all of it again.

Like everything in this package it runs on the board with what Python has built in, and imports nothing else.
"""

import errno
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

_CHUNK = 1 << 20
_KEPT_S = 30 * 24 * 3600
_HEXADECIMAL = frozenset("0123456789abcdef")


class RefusedError(Exception):
    """What was asked for cannot be done here; the message says why, and what to do."""


class Store:
    """A folder in which everything appears whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def usual(cls) -> "Store":
        """Return this user's: $XDG_CACHE_HOME/edgefit-board, else ~/.cache/edgefit-board."""
        own = os.environ.get("XDG_CACHE_HOME", "")
        return cls((Path(own) if os.path.isabs(own) else Path.home() / ".cache") / "edgefit-board")

    def folder(self, name: str) -> Path:
        """Return a folder of the store, made if need be."""
        above = [one for one in self.root.parents if not one.exists()]
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        if above:
            write_whole(self.root / "made-above", "\n".join(str(one) for one in above))
        return folder

    def refuse_foreign(self) -> None:
        """Raise RefusedError if the store is not this user's alone, for what lies in it is run."""
        if self.root.is_symlink():
            raise RefusedError(f"{self.root} is a link, which edgefit does not follow: put a folder there")
        if self.root.exists():
            about = self.root.stat()
            if about.st_uid != os.getuid() or about.st_mode & 0o022:
                raise RefusedError(f"{self.root} is somebody else's, or others may write there: remove it")

    def claim(self) -> "IO[bytes]":
        """Claim the store for what must not be done twice at a time; closing the lock gives it back."""
        self.refuse_foreign()
        self.folder("blobs")
        lock = (self.root / "claimed").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise RefusedError(
                "another command is preparing this board, or what an interrupted one began is not over yet;"
                " try again in a minute"
            ) from None
        return lock

    def blob(self, sha256: str) -> Path:
        """Return where the file with this hash lies, or would."""
        if len(sha256) != 64 or not _HEXADECIMAL.issuperset(sha256):
            raise RefusedError(f"'{sha256}' is no SHA-256")
        return self.root / "blobs" / sha256

    def missing(self, hashes: list[str]) -> list[str]:
        """Return which of the files with these hashes are not here; the others count as used now."""
        here = [one for one in hashes if self.blob(one).is_file()]
        for one in here:
            os.utime(self.blob(one))
        return [one for one in hashes if one not in here]

    def put(self, sha256: str, size_bytes: int, read: Callable[[int], bytes]) -> None:
        """Keep a file that `read` gives piece by piece; raises RefusedError if it is not that one."""
        place = self.blob(sha256)
        self.folder("blobs")
        part = beside(place)
        digest, left = hashlib.sha256(), size_bytes
        try:
            with part.open("wb") as file:
                while left:
                    piece = read(min(left, _CHUNK))
                    digest.update(piece)
                    file.write(piece)
                    left -= len(piece)
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != sha256:
                raise RefusedError("a file arrived damaged (its SHA-256 differs); try again")
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what processes that are gone left half-made, and files that nobody used for a month."""
        for part in self.root.glob("*/*.part"):
            writer = part.name.split(".")[-2]
            if not writer.isdecimal() or not _is_alive(int(writer)):
                remove(part)
        for blob in self.root.glob("blobs/*"):
            if blob.suffix != ".part" and time.time() - blob.stat().st_mtime > _KEPT_S:
                blob.unlink()

    def held_bytes(self) -> int:
        """Return how many bytes the store takes; files with two names count once."""
        found = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                with suppress(FileNotFoundError):
                    about = os.lstat(os.path.join(folder, name))
                    found[about.st_ino] = about.st_blocks * 512
        return sum(found.values())

    def remove_all(self) -> None:
        """Remove the store, and the folders above it that were made for it if nothing else lies in them."""
        note = self.root / "made-above"
        above = note.read_text().splitlines() if note.exists() else []
        if self.root.exists():
            shutil.rmtree(self.root)
        for folder in above:
            with suppress(OSError):  # somebody else has put something there meanwhile
                os.rmdir(folder)


def in_words(error: OSError, store: Store) -> str:
    """Say what a disk or its permissions did, and what to do."""
    said = f"{error.filename or store.root}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{said}; make room there, or remove what edgefit keeps (clean)"
    return said


def beside(place: Path) -> Path:
    """Return a name beside `place`, of this process's own, for what is being made; `sweep` knows it."""
    return place.with_name(f"{place.name}.{os.getpid()}.part")


def write_whole(place: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = beside(place)
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, which has the number now
        return False
    return True
