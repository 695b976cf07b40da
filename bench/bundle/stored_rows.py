"""Arrays of an npz file whose rows stay in the file until they are asked for.

A worker that times eight images needs the memory of eight, however many the pack holds. Rows that are asked
for in order are read once, compressed or not; a step back in a compressed array starts at its beginning.
"""

import math
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.bundle.signature import Array
from bench.errors import InputError

# What reading a member raises if its bytes are not what they were when it was opened.
_CHANGED = (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile)
# What opening a member raises: of an unknown compression or with a password, and with a damaged header.
_UNREADABLE = (RuntimeError, EOFError, zlib.error, zipfile.BadZipFile, tokenize.TokenError)


class StoredRows:
    """One array of an npz file. It keeps the file open."""

    shape: tuple[int, ...]
    """The shape of the whole array."""
    dtype: np.dtype[np.generic]
    """The type of its values."""

    def __init__(self, archive: zipfile.ZipFile, member: str) -> None:
        """Read the header alone. Raises ValueError if the member is not the array that its header says."""
        file = archive.open(member)
        assert isinstance(file, zipfile.ZipExtFile)
        self._file = file
        self._where = f"{archive.filename}: {member}"
        self.shape, self._is_by_columns, self.dtype = _read_header(self._file)
        self._begin = self._file.tell()
        if archive.getinfo(member).file_size != self._begin + math.prod(self.shape) * self.dtype.itemsize:
            raise ValueError(f"{self._where}: its size is not that of its shape")
        if not self.shape:
            raise ValueError(f"{self._where}: a single value has no rows")
        self._stored_shape = self.shape

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
        if self._is_by_columns and each:  # no row lies in one piece, as in arrays that edgefit did not write
            return np.ascontiguousarray(self._read(0, self._stored_shape[::-1]).T[index])
        return self._read(index * math.prod(each) * self.dtype.itemsize, each)

    def first(self, count: int) -> "StoredRows":
        """Return the same array with its first `count` rows only."""
        cut = copy(self)
        cut.shape = (min(count, len(self)), *self.shape[1:])
        return cut

    def _read(self, offset: int, shape: tuple[int, ...]) -> Array:
        """Read an array of this shape that begins so many bytes behind the header."""
        try:
            self._file.seek(self._begin + offset)
            array = np.empty(shape, dtype=self.dtype)
            if self._file.readinto(array.reshape(-1).view(np.uint8).data) != array.nbytes:
                raise EOFError(self._where)
        except _CHANGED:
            raise InputError(f"{self._where} changed while it was read; run the command again") from None
        return array


@dataclass(frozen=True)
class StoredArrays:
    """The arrays of an npz file."""

    rows: Mapping[str, StoredRows]
    """Those whose rows stay in the file."""
    arrays: Mapping[str, Array]
    """All others, read."""


def open_stored(path: Path, is_stored: Callable[[str], bool]) -> StoredArrays:
    """Open an npz file; `is_stored` says by its name which array stays in it.

    Raises what numpy and zipfile raise if the file is none.
    """
    rows: dict[str, StoredRows] = {}
    # numpy reads the others. Opened here, because numpy leaves a file open that it cannot read.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        others = {name: arrays[name] for name in arrays.files if not is_stored(name)}
        names = [name for name in arrays.files if is_stored(name)]
    archive = zipfile.ZipFile(path)
    try:
        rows.update({name: StoredRows(archive, f"{name}.npy") for name in names})
    except _UNREADABLE as error:
        raise ValueError(f"{path}: {error}") from error
    finally:
        if not rows:
            archive.close()
    return StoredArrays(rows, others)


def _read_header(file: zipfile.ZipExtFile) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Return an array's shape, whether its columns come first, and its type."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_by_columns, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("an array of Python objects")
    return tuple(shape), bool(is_by_columns), dtype
