"""Which other files a model file refers to, and a runtime would load with it, read from the file itself.

ONNX stores large tensors and compiled engines in separate files, OpenVINO and ncnn all weights in a `.bin`.
This module reads these formats without their packages, which a board may not have. Any other file refers to
nothing. Of a damaged file it reads the part before the damage, and the runtime refuses the file.
"""

import mmap
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from bench.bundle.protobuf import (
    LENGTH,
    VARINT,
    Content,
    DamagedMessageError,
    Field,
    bytes_of,
    fields_of,
    messages_in,
    name_of,
    numbers_of,
)

# OpenVINO itself looks for the root element in the first 512 bytes.
_OPENVINO_HEADER_BYTES = 4096
_OPENVINO_ROOT = re.compile(rb"<net[\s/>]", re.IGNORECASE)

_NCNN_HEADER_BYTES = 64
_NCNN_MAGIC = re.compile(rb"7767517\s")

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


def leads_outside(name: str) -> bool:
    """Return whether a relative name leads out of its folder, or is none."""
    pure = PurePosixPath(name)
    return pure.is_absolute() or ".." in pure.parts or not pure.parts or "\\" in name


def referred_files(path: Path) -> tuple[str, ...]:
    """Return the files that the model file `path` refers to, as it names them: relative to its own folder."""
    if not path.stat().st_size:
        return ()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        # All are asked of every file: what can be read as two must not hide one behind the other.
        weights = [path.with_suffix(".bin").name] if is_openvino(content) or is_ncnn(content) else []
        return tuple(dict.fromkeys([*weights, *_files_of_onnx(content)]))


def is_openvino(content: Content) -> bool:
    """Return whether a file begins as OpenVINO's `.xml` does."""
    header = content[:_OPENVINO_HEADER_BYTES].replace(b"\0", b"")  # UTF-16 as well
    return _OPENVINO_ROOT.search(header) is not None


def is_ncnn(content: Content) -> bool:
    """Return whether a file begins as ncnn's `.param` does: with its magic number, in text."""
    return _NCNN_MAGIC.match(content[:_NCNN_HEADER_BYTES]) is not None


def _files_of_onnx(content: Content) -> Iterator[str]:
    """Yield what tensors and nodes refer to, anywhere in the model."""
    with suppress(DamagedMessageError):
        for kind, message in messages_in(content, ONNX_FIELDS, _MODEL):
            if kind == _ENTRY:
                yield from _external_data(content, message)
            elif kind == _NODE:
                yield from _engine_file(content, message)


def _external_data(content: Content, entry: Field) -> Iterator[str]:
    fields = [field for field in fields_of(content, entry) if field.written == LENGTH]
    if any(field.number == _KEY and bytes_of(content, field) == _LOCATION for field in fields):
        yield from (name_of(content, field) for field in fields if field.number == _VALUE)


def _engine_file(content: Content, node: Field) -> Iterator[str]:
    """Yield the file of a node that holds a compiled engine, unless the engine is in the node itself."""
    fields = [field for field in fields_of(content, node) if field.written == LENGTH]
    if not any(field.number == _OPERATOR and bytes_of(content, field) == _ENGINE for field in fields):
        return
    attributes = [list(fields_of(content, field)) for field in fields if field.number == _ATTRIBUTE]
    if any(_value(content, parts) == 0 for parts in attributes if _is_named(content, parts, _EMBEDDED)):
        for parts in attributes:
            if _is_named(content, parts, _ENGINE_FILE):
                yield from (name_of(content, field) for field in parts if field.number == _STRING)


def _is_named(content: Content, attribute: Sequence[Field], name: bytes) -> bool:
    return any(field.number == _NAME and bytes_of(content, field) == name for field in attribute)


def _value(content: Content, attribute: Sequence[Field]) -> int | None:
    stored = [field for field in attribute if (field.number, field.written) == (_NUMBER, VARINT)]
    return next(numbers_of(content, stored[-1])) if stored else None
