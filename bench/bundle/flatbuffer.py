"""FlatBuffers as they lie in a file: tables whose fields are read by their numbers.

It knows how tables are written, and needs no package and no schema. A damaged file raises DamagedTableError.
"""

import struct
from dataclasses import dataclass

_OFFSET, _VTABLE_ENTRY = 4, 2
# What FlatBuffers calls its types, as `struct` does.
UBYTE, BYTE, SHORT, INT, UINT, LONG, ULONG, FLOAT = "B", "b", "h", "i", "I", "q", "Q", "f"


class DamagedTableError(Exception):
    """The bytes hold no such table: the file was cut off or changed."""

    def __init__(self) -> None:
        super().__init__("the file is damaged; copy, download or export it again")


@dataclass(frozen=True)
class StoredTable:
    """A table of the buffer `content`, which begins at `position`."""

    content: bytes
    position: int

    def number(self, field: int, kind: str = INT, default: int = 0) -> int:
        """Return the whole number in a field; `kind`: its type, by the names of `struct`."""
        at = self._at(field)
        return default if at is None else int(_read(self.content, at, kind))

    def table(self, field: int) -> "StoredTable | None":
        """Return the table that a field refers to, a union's among them; None without one."""
        at = self._at(field)
        return None if at is None else StoredTable(self.content, self._target(at))

    def text(self, field: int) -> str:
        """Return the text of a field; empty without one."""
        return self.bytes_of(field).decode(errors="replace")

    def numbers(self, field: int, kind: str = INT) -> tuple[int, ...]:
        """Return the whole numbers in a field; empty without one."""
        at = self._at(field)
        if at is None:
            return ()
        start, length = self._vector(at)
        _refuse_beyond(self.content, start, length * struct.calcsize(f"<{kind}"))
        return struct.unpack_from(f"<{length}{kind}", self.content, start)

    def tables(self, field: int) -> "list[StoredTable]":
        """Return the tables in a field; empty without one."""
        at = self._at(field)
        if at is None:
            return []
        start, length = self._vector(at)
        _refuse_beyond(self.content, start, length * _OFFSET)
        return [StoredTable(self.content, self._target(start + index * _OFFSET)) for index in range(length)]

    def bytes_of(self, field: int) -> bytes:
        """Return the bytes in a field; empty without one."""
        at = self._at(field)
        if at is None:
            return b""
        start, length = self._vector(at)
        _refuse_beyond(self.content, start, length)
        return self.content[start : start + length]

    def _at(self, field: int) -> int | None:
        """Return where a field's value lies; None if the table leaves it out."""
        vtable = self.position - _read(self.content, self.position, INT)
        entry = _OFFSET + _VTABLE_ENTRY * field
        if entry + _VTABLE_ENTRY > _read(self.content, vtable, "H"):
            return None
        offset = _read(self.content, vtable + entry, "H")
        return self.position + offset if offset else None

    def _target(self, at: int) -> int:
        return at + _read(self.content, at, UINT)

    def _vector(self, at: int) -> tuple[int, int]:
        start = self._target(at)
        return start + _OFFSET, _read(self.content, start, UINT)


def root_table(content: bytes, start: int = 0) -> StoredTable:
    """Return the outermost table of a buffer that begins at `start`."""
    return StoredTable(content, start + _read(content, start, UINT))


def _read(content: bytes, position: int, kind: str) -> int:
    _refuse_beyond(content, position, struct.calcsize(f"<{kind}"))
    number: int = struct.unpack_from(f"<{kind}", content, position)[0]
    return number


def _refuse_beyond(content: bytes, start: int, length: int) -> None:
    if start < 0 or start + length > len(content):
        raise DamagedTableError
