"""Lets this process use freed memory again, instead of giving it back to the system after each tensor.

A training step frees and takes the same blocks again and again. The C library gives large ones back to the
system, which has to clear every page anew. The settings concern this process alone: no process that it starts
inherits them.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# mallopt(3)
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_NEVER = (1 << 31) - 1
# What the C library's own adaptation arrives at while blocks of this size are freed; its number of mappings.
_LARGEST_BLOCK, _MOST_MAPPINGS = 32 << 20, 65536


@contextmanager
def reused_memory() -> Iterator[None]:
    """Keep freed memory until the end, and then give it back. Without the GNU C library, nothing changes."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(library, "mallopt") or not hasattr(library, "malloc_trim"):
        yield
        return
    assert library is not None
    library.mallopt(_MMAP_MAX, 0)
    library.mallopt(_TRIM_THRESHOLD, _NEVER)
    try:
        yield
    finally:
        library.mallopt(_MMAP_MAX, _MOST_MAPPINGS)
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_BLOCK)
        library.mallopt(_TRIM_THRESHOLD, 2 * _LARGEST_BLOCK)
        library.malloc_trim(0)
