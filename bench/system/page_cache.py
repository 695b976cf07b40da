"""How much of a file is in the kernel's page cache, which decides how long loading takes."""

import ctypes
import mmap
import os
import sys
from collections.abc import Iterable
from pathlib import Path

_RESIDENT = 1


def cached_share(paths: Iterable[Path]) -> float | None:
    """Return the share of the files' pages in the kernel's page cache; None if it is unknown.

    Linux's mincore(2), asked of a mapping that reads nothing by itself. Since Linux 5.2 it calls every page
    cached for who neither owns a file nor may write it; such files are not asked about.
    """
    if sys.platform != "linux":
        return None
    paths = list(paths)
    if not all(_may_ask(path) for path in paths):
        return None
    counts = [counted for path in paths if (counted := _pages(path)) is not None]
    pages = sum(count for _, count in counts)
    return sum(cached for cached, _ in counts) / pages if pages else None


def _may_ask(path: Path) -> bool:
    return not path.exists() or path.stat().st_uid == os.geteuid() or os.access(path, os.W_OK)


def _pages(path: Path) -> tuple[int, int] | None:
    """Return how many pages of a file are cached, and how many it has; None for an empty or absent one."""
    size = path.stat().st_size if path.is_file() else 0
    if not size:
        return None
    count = -(-size // mmap.PAGESIZE)
    # The mapping is private and writable, because ctypes needs a writable buffer; nothing is written.
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, mmap.MAP_PRIVATE) as mapping:
        first = ctypes.c_char.from_buffer(mapping)
        states = (ctypes.c_ubyte * count)()
        libc = ctypes.CDLL(None, use_errno=True)
        failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(first)), ctypes.c_size_t(size), states)
        del first  # otherwise the mapping could not be closed
    return None if failed else (sum(state & _RESIDENT for state in states), count)
