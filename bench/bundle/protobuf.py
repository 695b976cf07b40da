"""Protocol Buffers as they lie in a file, read without the package `protobuf`, which a board may not have.

It knows how fields are written; which messages and fields there are, it is told. Nothing is copied before it
is asked for, so that a file of gigabytes is read through its mapping.
"""

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# How a field is written stands in the lowest three bits of its tag.
VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = 0, 1, 2, 3, 4, 5
_FIXED_BYTES = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10
_TAG_BITS = 0xFFFFFFFF
_SIGN, _UNSIGNED = 1 << 63, 1 << 64
# Names and paths are shorter on every file system.
_LONGEST_NAME = 1 << 16

Content = mmap.mmap | bytes
"""What is read: a file's mapping, or the bytes themselves."""


@dataclass(frozen=True)
class Field:
    """A field of a message; its content lies from `start` to `end`."""

    number: int
    written: int
    start: int
    end: int


class DamagedMessageError(Exception):
    """The bytes are not a message. `field`: the one that is cut off, if that is the fault."""

    def __init__(self, field: Field | None = None) -> None:
        super().__init__()
        self.field = field


@dataclass(frozen=True)
class _Message:
    """A message that is being read. Groups and unknown kinds are skipped."""

    kind: str
    end: int
    is_group: bool = False


def messages_in(
    content: Content, kinds: Mapping[str, Mapping[int, str]], root: str
) -> Iterator[tuple[str, Field]]:
    """Yield every message that `kinds` knows, with its kind, in their order in the file.

    `kinds`: of each kind of message the fields that hold messages, and the kind of these; `root`: the file's.
    Messages can be nested to any depth, so the open ones are on a list instead of the call stack.
    """
    open_, position = [_Message(root, len(content))], 0
    while open_:
        message = open_[-1]
        if position == message.end and not message.is_group:
            open_.pop()
            continue
        field = read_field(content, position, message.end)
        kind = kinds.get(message.kind, {}).get(field.number)
        position = field.end
        if field.written == GROUP:
            open_.append(_Message("", message.end, is_group=True))
        elif field.written == GROUP_END:
            _close_group(open_)
        elif field.written == LENGTH and kind is not None:
            yield kind, field
            open_.append(_Message(kind, field.end))
            position = field.start


def _close_group(open_: list[_Message]) -> None:
    if not open_.pop().is_group:
        raise DamagedMessageError


def whole_message(content: Content) -> Field:
    """Return the message that the whole file is."""
    return Field(0, LENGTH, 0, len(content))


def fields_of(content: Content, message: Field) -> Iterator[Field]:
    """Yield the fields of one message, without those in a group."""
    position, depth = message.start, 0
    while position < message.end:
        field = read_field(content, position, message.end)
        position = field.end
        depth += {GROUP: 1, GROUP_END: -1}.get(field.written, 0)
        if depth == 0:
            yield field


def read_field(content: Content, position: int, end: int) -> Field:
    """Return the field at `position` of a message that ends at `end`."""
    tag, position = _read_varint(content, position, end)
    number, written = (tag & _TAG_BITS) >> 3, tag & 7
    start = position
    if written == VARINT:
        _, position = _read_varint(content, position, end)
    elif written == LENGTH:
        length, start = _read_varint(content, position, end)
        position = start + length
    else:
        position += _FIXED_BYTES.get(written, 0)
    if not number or written > FIXED32:
        raise DamagedMessageError
    field = Field(number, written, start, position)
    if position > end:
        raise DamagedMessageError(field)
    return field


def _read_varint(content: Content, position: int, end: int) -> tuple[int, int]:
    """Return a number, stored as seven bits per byte from the lowest on, and the position after it."""
    value = 0
    for place in range(_LONGEST_VARINT):
        if position + place >= end:
            break
        byte = content[position + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, position + place + 1
    raise DamagedMessageError


def numbers_of(content: Content, field: Field) -> Iterator[int]:
    """Yield the signed numbers of a field: one, or the packed ones of a repeated field."""
    position = field.start
    while position < field.end:
        value, position = _read_varint(content, position, field.end)
        value &= _UNSIGNED - 1
        yield value - _UNSIGNED if value & _SIGN else value


def text_of(content: Content, field: Field) -> str:
    """Return a field's text, however long it is."""
    return content[field.start : field.end].decode("utf-8", "backslashreplace")


def bytes_of(content: Content, field: Field) -> bytes:
    """Return a field's bytes, up to the longest possible name or path."""
    return content[field.start : min(field.end, field.start + _LONGEST_NAME)]


def name_of(content: Content, field: Field) -> str:
    """Return a field's text, up to the longest possible name or path."""
    return bytes_of(content, field).decode("utf-8", "backslashreplace")
