"""Reads numpy's files, .npy and .npz, which may be damaged or made to do harm.

Their headers state sizes that nothing guarantees. So each array is held against the bytes that are there,
and against the memory that is free, before memory is taken for it. Python objects are never read.
"""

import hashlib
import math
import os
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from user_files.free_memory import available_bytes
from user_files.reading import naming, reading

_SUFFIX = ".npy"
# deflate cannot make more of a byte, bzip2 and LZMA can; numpy writes neither of the two.
_MOST_OF_A_BYTE = 1032
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# What reading the file itself raises, before numpy parses anything.
_DAMAGED_ARCHIVE = (OSError, zipfile.BadZipFile, zlib.error)
_ROWS_AT_ONCE = 64
# What any machine has free. To ask takes longer than to read such an array.
_SMALL = 1 << 20
# Images, labels and numbers compress less than this; what says the same over and over compresses more.
_USUAL_OF_A_BYTE = 200
_LEAST_PART = 4
# How long an axis of an array without values may be: whoever walks along it would never end.
_MOST_OF_NOTHING = 1 << 20


class ArraysError(ValueError):
    """A file that holds no readable arrays; the message says why, in a few words."""


class ArrayTooLargeError(ArraysError):
    """An array that is readable, and takes too much memory; the message says what to do as well."""


def cannot_be_read(error: Exception, remedy: str) -> str:
    """Say why arrays cannot be read; `remedy`: what to do about any other error than one about memory."""
    said = " ".join(str(error).split())
    if isinstance(error, ArrayTooLargeError):
        return f"cannot be read: {said}"
    return f"cannot be read ({said}); {remedy}"


@dataclass(frozen=True)
class Header:
    """What the beginning of an array states."""

    shape: tuple[int, ...]
    """Its size in each axis."""
    stored: np.dtype[Any]
    """The type of its values in the file, whose bytes may be in another order than this machine's."""
    is_by_columns: bool
    """Whether the first index changes fastest in the file."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its values once they are read: in this machine's order of bytes."""
        native: np.dtype[Any] = self.stored.newbyteorder("=")
        return native

    @property
    def bytes(self) -> int:
        """How many bytes its values take."""
        return math.prod(self.shape) * self.stored.itemsize

    @property
    def row_bytes(self) -> int:
        """How many bytes the values of one index of the first axis take."""
        return math.prod(self.shape[1:]) * self.stored.itemsize

    def values(self, content: bytearray, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        """Return the values of some of its bytes, which are in the order of the file, as an array."""
        order: Literal["F", "C"] = "F" if self.is_by_columns else "C"
        stored = np.frombuffer(content, self.stored).reshape(shape, order=order)
        return stored.astype(self.dtype, copy=False)


class ArrayFile:
    """An open .npz file."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        """`size`: the bytes of the file."""
        self._archive, self._size = archive, size
        self._members = _members_of(archive)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its arrays, in the order of the file."""
        return tuple(self._members)

    def header(self, name: str) -> Header:
        """Return what an array's header states, if that many bytes are there; raises ArraysError."""
        with self._opened(name) as (_, header):
            return header

    def read(self, name: str) -> npt.NDArray[Any]:
        """Return an array; raises ArraysError, also if it takes more memory than is free.

        One that almost nothing was made to be is refused sooner: with a quarter of what is free.
        """
        with self._opened(name) as (file, header):
            _refuse_inflated(header, self._members[name].compress_size)
            return _whole(file, header)

    def rows(self, name: str) -> Iterator[npt.NDArray[Any]]:
        """Yield an array some rows at a time; all at once if they are stored by columns."""
        with self._opened(name) as (file, header):
            if header.is_by_columns or not header.shape:
                yield _whole(file, header)
                return
            refuse_without_memory(min(_ROWS_AT_ONCE, header.shape[0]) * header.row_bytes)
            for first in range(0, header.shape[0], _ROWS_AT_ONCE):
                yield _values(file, header, min(_ROWS_AT_ONCE, header.shape[0] - first))
            _require_end(file)

    def open(self, name: str) -> tuple[IO[bytes], Header]:
        """Return a file that is at the first value of an array, and the header; raises ArraysError.

        The file stays open when this one is closed.
        """
        if name not in self._members:
            raise ArraysError(f"it has no array {name!r}")
        member = self._members[name]
        self._refuse_impossible(member)
        with _readable(), ExitStack() as stack:
            file = stack.enter_context(self._archive.open(member))
            header = _header_of(file)
            if file.tell() + header.bytes != member.file_size:
                raise ArraysError(f"{name!r} is not as large as it states")
            stack.pop_all()
            return file, header

    @contextmanager
    def _opened(self, name: str) -> Iterator[tuple[IO[bytes], Header]]:
        file, header = self.open(name)
        with file, _readable():
            yield file, header

    def _refuse_impossible(self, member: zipfile.ZipInfo) -> None:
        """Raise ArraysError for a member that states more bytes than can come of those in the file."""
        if member.compress_type not in _METHODS:
            raise ArraysError("it is compressed in another way than numpy does it")
        ratio = 1 if member.compress_type == zipfile.ZIP_STORED else _MOST_OF_A_BYTE
        if member.file_size > min(member.compress_size, self._size) * ratio:
            raise ArraysError("it states more bytes than it can hold")


def _members_of(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the members of an archive by the names of their arrays."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(_SUFFIX)
        if name in members:
            raise ArraysError(f"it has the array {name!r} twice")
        if member.flag_bits & _ENCRYPTED:
            raise ArraysError("it is encrypted")
        members[name] = member
    return members


@contextmanager
def open_arrays(path: Path) -> Iterator[ArrayFile]:
    """Open an .npz file. Raises ArraysError if it is none, OSError if it cannot be opened."""
    size = path.stat().st_size
    with ExitStack() as stack:
        with _readable(OSError), naming(path):
            archive = stack.enter_context(zipfile.ZipFile(path))
        yield ArrayFile(archive, size)


def read_npy(path: Path) -> npt.NDArray[Any]:
    """Return the array of an .npy file. Raises ArraysError if it is none, OSError if it cannot be opened."""
    with reading(path) as file, _readable():
        header = _header_of(file)
        if file.tell() + header.bytes != os.fstat(file.fileno()).st_size:
            raise ArraysError("it is not as large as it states")
        return _whole(file, header)


def is_npy(path: Path) -> bool:
    """Tell whether a file begins as an .npy file does."""
    with reading(path) as file:
        return file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX


@contextmanager
def _readable(*passed: type[Exception]) -> Iterator[None]:
    """Turn whatever zipfile, zlib and numpy raise for damaged bytes into an ArraysError.

    These are a dozen kinds of exceptions, among them MemoryError, AssertionError and those of tokenize.
    `passed`: those that are raised as they are.
    """
    try:
        yield
    except ArraysError:
        raise
    except passed:
        raise
    except Exception as error:
        raise ArraysError(" ".join(str(error).split()) or type(error).__name__) from error


def _header_of(file: IO[bytes]) -> Header:
    """Return the header of an .npy file, and read up to its end; raises what numpy raises."""
    try:
        shape, is_by_columns, dtype = _parsed(file)
    except (ArraysError, *_DAMAGED_ARCHIVE):
        raise
    except Exception as error:  # numpy quotes the header's Python, or an object of its parser
        raise ArraysError("the header of an array is damaged") from error
    if dtype.hasobject:
        raise ArraysError("it contains Python objects")
    if dtype.itemsize == 0 or any(type(size) is not int or size < 0 for size in shape):
        raise ArraysError("its shape or type is none of an array")
    header = Header(shape, dtype, is_by_columns)
    if not header.bytes and max(shape) > _MOST_OF_NOTHING:
        raise ArraysError("it states a size of values that it does not have")
    return header


def _parsed(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type as a header states them."""
    try:
        version = np.lib.format.read_magic(file)
    except ValueError as error:
        raise ArraysError("it does not begin as an array of numpy does") from error
    if version not in ((1, 0), (2, 0)):
        raise ArraysError(
            f"version {version[0]}.{version[1]} of numpy's format is for tables, not for arrays"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a header is parsed as Python, which warns of what is damaged
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        return np.lib.format.read_array_header_2_0(file)


def refuse_without_memory(count: int) -> None:
    """Raise ArraysError for bytes of an array that do not fit into the memory that is free."""
    if count > _SMALL and count > (free := available_bytes()):
        raise ArrayTooLargeError(
            f"an array takes {count >> 20} MiB at once, and {free >> 20} MiB of memory are free; give fewer "
            "or smaller samples, or close other programs"
        )


def _refuse_inflated(header: Header, stored: int) -> None:
    """Raise ArraysError for an array that takes much memory and of which hardly anything is stored."""
    if header.bytes <= max(_SMALL, _USUAL_OF_A_BYTE * stored):
        return
    if header.bytes > available_bytes() // _LEAST_PART:
        raise ArrayTooLargeError(
            f"an array of {header.bytes >> 20} MiB is stored in {stored >> 10} KiB, and would take more than "
            "a quarter of the memory that is free; if you mean it, write it with np.savez, uncompressed"
        )


def _whole(file: IO[bytes], header: Header) -> npt.NDArray[Any]:
    """Return all values of an array, whose file has to end with them."""
    refuse_without_memory(header.bytes)
    values = _values(file, header, header.shape[0] if header.shape else 1)
    _require_end(file)
    return values


def _require_end(file: IO[bytes]) -> None:
    """Read up to the end of a member, where zipfile compares its checksum."""
    if file.read(1):
        raise ArraysError("an array has more bytes than it states")


def _values(file: IO[bytes], header: Header, count: int) -> npt.NDArray[Any]:
    """Return the next `count` rows of an array."""
    wanted = header.row_bytes * count if header.shape else header.bytes
    content = bytearray(wanted)
    view, filled = memoryview(content), 0
    while filled < wanted:
        block = file.read(min(wanted - filled, 1 << 20))
        if not block:
            raise ArraysError("an array ends early")
        view[filled : filled + len(block)] = block
        filled += len(block)
    return header.values(content, (count, *header.shape[1:]) if header.shape else ())


def sha256_of_array(array: npt.NDArray[np.generic]) -> str:
    """Return the SHA-256 of an array: its type, shape and values."""
    digest = hashlib.sha256(f"{array.dtype} {array.shape}\n".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
