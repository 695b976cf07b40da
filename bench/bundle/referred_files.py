"""Which other files a model file refers to, and a runtime would load with it, read from the file itself.

ONNX stores large tensors and compiled engines in separate files, OpenVINO all weights in a `.bin`. This
module reads these two formats without their packages, which a board may not have. Any other file refers to
nothing. Of a damaged file it reads the part before the damage, and the runtime refuses the file.
"""

import mmap
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# OpenVINO itself looks for the root element in the first 512 bytes.
_OPENVINO_HEADER_BYTES = 4096
_OPENVINO_ROOT = re.compile(rb"<net[\s/>]", re.IGNORECASE)
# No file system has a longer path.
_LONGEST_PATH = 1 << 16

# Protocol Buffers: how a field is written stands in the lowest three bits of its tag.
_VARINT, _FIXED64, _LENGTH, _GROUP, _GROUP_END, _FIXED32 = 0, 1, 2, 3, 4, 5
_FIXED_BYTES = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
_TAG_BITS = 0xFFFFFFFF

_MODEL, _NODE, _ENTRY = "ModelProto", "NodeProto", "StringStringEntryProto"
# onnx.proto: the fields through which a message reaches a tensor, and a tensor its external data.
ONNX_FIELDS: dict[str, dict[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto",
        6: "GraphProto",
        10: "TensorProto",
        11: "GraphProto",
        22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {13: _ENTRY},
}
_KEY, _VALUE, _LOCATION = 1, 2, b"location"
# A compiled engine in a node: its attributes by their names, the fields of an attribute by their numbers.
_OPERATOR, _ATTRIBUTE, _ENGINE = 4, 5, b"EPContext"
_NAME, _NUMBER, _STRING = 1, 3, 4
_EMBEDDED, _ENGINE_FILE = b"embed_mode", b"ep_cache_context"


def referred_files(path: Path) -> tuple[str, ...]:
    """Return the files that the model file `path` refers to, as it names them: relative to its own folder."""
    if not path.stat().st_size:
        return ()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        # Both are asked of every file: what can be read as both must not hide one behind the other.
        weights = [path.with_suffix(".bin").name] if _is_openvino(content) else []
        return tuple(dict.fromkeys([*weights, *_files_of_onnx(content)]))


def _is_openvino(content: mmap.mmap) -> bool:
    header = content[:_OPENVINO_HEADER_BYTES].replace(b"\0", b"")  # UTF-16 as well
    return _OPENVINO_ROOT.search(header) is not None


class _DamagedError(Exception):
    """The bytes are not a message."""


@dataclass(frozen=True)
class _Field:
    """A field of a message; its content lies from `start` to `end`."""

    number: int
    written: int
    start: int
    end: int


@dataclass(frozen=True)
class _Message:
    """A message that is being read. Groups and unknown kinds are skipped."""

    kind: str
    end: int
    is_group: bool = False


def _files_of_onnx(content: mmap.mmap) -> Iterator[str]:
    """Yield what tensors and nodes refer to, anywhere in the model.

    Messages can be nested to any depth, so the open ones are on a list instead of the call stack.
    """
    with suppress(_DamagedError):
        for kind, field in _messages(content):
            if kind == _ENTRY:
                yield from _external_data(content, field)
            elif kind == _NODE:
                yield from _engine_file(content, field)


def _messages(content: mmap.mmap) -> Iterator[tuple[str, _Field]]:
    """Yield every message that ONNX_FIELDS knows, with its kind, in their order in the file."""
    open_, position = [_Message(_MODEL, len(content))], 0
    while open_:
        message = open_[-1]
        if position == message.end and not message.is_group:
            open_.pop()
            continue
        field = _read_field(content, position, message.end)
        kind = ONNX_FIELDS.get(message.kind, {}).get(field.number)
        position = field.end
        if field.written == _GROUP:
            open_.append(_Message("", message.end, is_group=True))
        elif field.written == _GROUP_END:
            _close_group(open_)
        elif field.written == _LENGTH and kind is not None:
            yield kind, field
            open_.append(_Message(kind, field.end))
            position = field.start


def _external_data(content: mmap.mmap, entry: _Field) -> Iterator[str]:
    fields = [field for field in _fields(content, entry) if field.written == _LENGTH]
    if any(field.number == _KEY and _bytes(content, field) == _LOCATION for field in fields):
        yield from (_text(content, field) for field in fields if field.number == _VALUE)


def _engine_file(content: mmap.mmap, node: _Field) -> Iterator[str]:
    """Yield the file of a node that holds a compiled engine, unless the engine is in the node itself."""
    fields = [field for field in _fields(content, node) if field.written == _LENGTH]
    if not any(field.number == _OPERATOR and _bytes(content, field) == _ENGINE for field in fields):
        return
    attributes = [list(_fields(content, field)) for field in fields if field.number == _ATTRIBUTE]
    if any(_value(content, parts) == 0 for parts in attributes if _is_named(content, parts, _EMBEDDED)):
        for parts in attributes:
            if _is_named(content, parts, _ENGINE_FILE):
                yield from (_text(content, field) for field in parts if field.number == _STRING)


def _is_named(content: mmap.mmap, attribute: Sequence[_Field], name: bytes) -> bool:
    return any(field.number == _NAME and _bytes(content, field) == name for field in attribute)


def _value(content: mmap.mmap, attribute: Sequence[_Field]) -> int | None:
    numbers = [field for field in attribute if (field.number, field.written) == (_NUMBER, _VARINT)]
    return _read_varint(content, numbers[-1].start, numbers[-1].end)[0] if numbers else None


def _close_group(open_: list[_Message]) -> None:
    if not open_.pop().is_group:
        raise _DamagedError


def _fields(content: mmap.mmap, message: _Field) -> Iterator[_Field]:
    """Yield the fields of one message, without those in a group."""
    position, depth = message.start, 0
    while position < message.end:
        field = _read_field(content, position, message.end)
        position = field.end
        depth += {_GROUP: 1, _GROUP_END: -1}.get(field.written, 0)
        if depth == 0:
            yield field


def _read_field(content: mmap.mmap, position: int, end: int) -> _Field:
    tag, position = _read_varint(content, position, end)
    number, written = (tag & _TAG_BITS) >> 3, tag & 7
    start = position
    if written == _VARINT:
        _, position = _read_varint(content, position, end)
    elif written == _LENGTH:
        length, start = _read_varint(content, position, end)
        position = start + length
    else:
        position += _FIXED_BYTES.get(written, 0)
    if not number or written > _FIXED32 or position > end:
        raise _DamagedError
    return _Field(number, written, start, position)


def _read_varint(content: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    """Return a number, stored as seven bits per byte from the lowest on, and the position after it."""
    value = 0
    for place in range(_LONGEST_VARINT):
        if position + place >= end:
            break
        byte = content[position + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, position + place + 1
    raise _DamagedError


def _bytes(content: mmap.mmap, field: _Field) -> bytes:
    """Return a field's bytes, up to the longest possible name or path."""
    return content[field.start : min(field.end, field.start + _LONGEST_PATH)]


def _text(content: mmap.mmap, field: _Field) -> str:
    return _bytes(content, field).decode("utf-8", "backslashreplace")
