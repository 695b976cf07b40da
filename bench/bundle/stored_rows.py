"""Arrays of an npz file whose rows stay in the file until they are asked for.

A worker that times eight images needs the memory of eight, however many the pack holds. Rows that are asked
for in order are read once, compressed or not; a step back in a compressed array starts at its beginning.
"""

import math
import zipfile
import zlib
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.bundle.signature import Array
from bench.errors import InputError
from user_files.arrays import ArrayFile, ArraysError, open_arrays, refuse_without_memory

# What reading a member raises if its bytes are not what they were when it was opened.
_CHANGED = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile)


class StoredRows:
    """One array of an npz file. It keeps the file open."""

    shape: tuple[int, ...]
    """The shape of the whole array."""
    dtype: np.dtype[np.generic]
    """The type of its values."""

    def __init__(self, file: ArrayFile, name: str, path: Path) -> None:
        """Read the header alone. Raises ArraysError if the file lacks the array, or does not hold all of it.

        `path`: the file's.
        """
        self._file, self._header = file.open(name)
        header = self._header
        self._where = f"{path}: {name}"
        if not header.shape:
            raise ArraysError(f"{name!r} is a single value, which has no rows")
        self._begin = self._file.tell()
        self.shape, self.dtype = header.shape, header.dtype
        refuse_without_memory(header.bytes if header.is_by_columns else header.row_bytes)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> Array:
        """Read one row: an array without the first axis."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        each = self.shape[1:]
        if (
            self._header.is_by_columns and each
        ):  # no row lies in one piece, in arrays that edgefit did not write
            return np.ascontiguousarray(self._read(0, self._header.shape)[index])
        return self._read(index * math.prod(each) * self.dtype.itemsize, each)

    def first(self, count: int) -> "StoredRows":
        """Return the same array with its first `count` rows only."""
        cut = copy(self)
        cut.shape = (min(count, len(self)), *self.shape[1:])
        return cut

    def _read(self, offset: int, shape: tuple[int, ...]) -> Array:
        """Read an array of this shape that begins so many bytes behind the header."""
        wanted = math.prod(shape) * self.dtype.itemsize
        try:
            self._file.seek(self._begin + offset)
            content = bytearray(self._file.read(wanted))
        except _CHANGED:
            content = bytearray()
        if len(content) != wanted:
            raise InputError(f"{self._where} changed while it was read; run the command again")
        return self._header.values(content, shape)


@dataclass(frozen=True)
class StoredArrays:
    """The arrays of an npz file."""

    rows: Mapping[str, StoredRows]
    """Those whose rows stay in the file."""
    arrays: Mapping[str, Array]
    """All others, read."""


def open_stored(
    path: Path, is_stored: Callable[[str], bool], is_read: Callable[[str], bool] = lambda _: True
) -> StoredArrays:
    """Open an npz file; `is_stored` says by its name which array stays in it, `is_read` which other is read.

    Raises ArraysError if the file is none, OSError if it cannot be opened.
    """
    with open_arrays(path) as file:
        return StoredArrays(
            {name: StoredRows(file, name, path) for name in file.names if is_stored(name)},
            {name: file.read(name) for name in file.names if not is_stored(name) and is_read(name)},
        )
