"""Keeps edgefit's cache from growing without end, and empties it.

It deletes only names that edgefit gives, because a user may have any folder for the cache. Everything in it
can be made again, except for a journal of a run that nobody resumed for three months.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

from bench.filesystem.unfinished import PART, held, name_beside, remove_folder, sweep_all_parts
from user_files.own_folders import cache

_GIB = 1 << 30
DAYS = 90
"""What was not used for so many days is deleted."""
_SECONDS_A_DAY = 24 * 3600


@dataclass(frozen=True)
class _Limit:
    """What a part of the cache holds."""

    names: str
    """A regular expression of the names in it."""
    most_bytes: int
    """The size beyond which what was not used for longest is deleted."""


_PARTS = {
    "journals": _Limit(r"[0-9a-f]{32}(-[0-9a-f]{16})?\.jsonl", _GIB),
    "predictions": _Limit(r"[0-9a-f]{64}\.json", 2 * _GIB),
    "wheels": _Limit(r"[0-9a-f]{16}", 8 * _GIB),
    "tensorrt": _Limit(r"[0-9a-f]{16}", 8 * _GIB),
    "page-scripts": _Limit(r"[0-9a-z.]+\.bin", _GIB),
}


@dataclass(frozen=True)
class _Entry:
    """A file or folder in a part of the cache."""

    path: Path
    size_bytes: int
    used_s: float

    def remove(self) -> bool:
        """Delete it, unless another process has locked it; say whether it is gone.

        Raises OSError where the disk does not delete it.
        """
        with held(self.path) as is_mine:
            if is_mine is False:
                return False
            part = name_beside(self.path, PART)  # or another process would read half a folder
            with suppress(FileNotFoundError):  # another command was faster
                self.path.rename(part)
            if part.is_dir():
                remove_folder(part)
            else:
                part.unlink(missing_ok=True)
        return True


def trim_cache(part: str) -> None:
    """Delete what was not used for long, or is too much; once for each process."""
    if (whole := cache()) is not None:
        with suppress(OSError):  # whoever writes in it next says what is wrong with it
            _trim(whole / part, _PARTS[part])


def mark_as_used(entry: Path) -> None:
    """Note that something in the cache is used now."""
    with suppress(OSError):  # a cache that may only be read keeps what it has
        os.utime(entry)


def empty_cache() -> int:
    """Delete everything in the cache that no other command uses, and return how many bytes that was.

    Raises OSError where the disk does not list or delete it.
    """
    whole, size_bytes = cache(), 0
    for part, limit in _PARTS.items() if whole is not None else ():
        assert whole is not None
        sweep_all_parts(whole / part)
        size_bytes += sum(entry.size_bytes for entry in _entries(whole / part, limit) if entry.remove())
    return size_bytes


@once
def _trim(folder: Path, limit: _Limit) -> None:
    sweep_all_parts(folder)
    total = 0
    for entry in sorted(_entries(folder, limit), key=lambda entry: entry.used_s, reverse=True):
        total += entry.size_bytes
        is_old = time.time() - entry.used_s > DAYS * _SECONDS_A_DAY
        is_too_much = total > limit.most_bytes and total > entry.size_bytes  # the newest one stays
        with suppress(OSError):  # one that cannot be deleted, as another user's, keeps no other one there
            if (is_old or is_too_much) and entry.remove():
                total -= entry.size_bytes


def _entries(folder: Path, limit: _Limit) -> Iterator[_Entry]:
    try:
        names = os.listdir(folder)
    except FileNotFoundError:  # it was not made yet
        return
    for name in names:
        with suppress(FileNotFoundError):  # another command deleted it meanwhile
            if re.fullmatch(limit.names, name):
                path = folder / name
                yield _Entry(path, _size(path), path.lstat().st_mtime)


def _size(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(file.lstat().st_size for file in path.rglob("*"))
