"""Reads how long a safetensors file should be, from the header that it begins with. It reads no tensor."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from user_files.reading import reading

_LONGEST_HEADER = 100 << 20
_LENGTH_BYTES = 8
_AFTER_BRACE = (b'"', b"}", b" ", b"\n", b"")


def is_safetensors(head: bytes) -> bool:
    """Return whether a file begins as safetensors does: with the length of a JSON object, and that object."""
    return (
        len(head) > 8
        and head[8:9] == b"{"
        and head[9:10] in _AFTER_BRACE
        and 2 <= _header_bytes(head) <= _LONGEST_HEADER
    )


def _header_bytes(head: bytes) -> int:
    length: int = struct.unpack("<Q", head[:8])[0]
    return length


def safetensors_bytes(path: Path, head: bytes) -> int | None:
    """Return how many bytes a safetensors file should have by its header; None if it is no such file."""
    if not is_safetensors(head):
        return None
    length = _header_bytes(head)
    with reading(path) as file:
        file.seek(_LENGTH_BYTES)
        header = file.read(length)
    if len(header) < length:
        return _LENGTH_BYTES + length
    try:
        tensors = json.loads(header)
    except (ValueError, RecursionError):
        return None
    ends = map(_end, tensors.values()) if isinstance(tensors, dict) else ()
    return _LENGTH_BYTES + length + max(ends, default=0)


def _end(tensor: object) -> int:
    """Return where a tensor ends in the data; 0 for what is no description of one."""
    offsets = tensor.get("data_offsets") if isinstance(tensor, Mapping) else None
    is_pair = isinstance(offsets, list) and len(offsets) == 2
    return offsets[1] if offsets and is_pair and isinstance(offsets[1], int) else 0
