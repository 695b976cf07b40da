"""How many weights an ONNX file holds: the numbers that training found, without sizes and settings.

Shapes, axes and indices are integers, and no weights. Neither are scales, zero points, running
statistics and limits, which an operator takes at a known place among its inputs.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.bundle.onnx_graph import DTYPES, FIELDS, MODEL, NODE, TENSOR
from bench.bundle.protobuf import (
    LENGTH,
    VARINT,
    Content,
    DamagedMessageError,
    Field,
    fields_of,
    messages_in,
    name_of,
    numbers_of,
)

# onnx.proto: the numbers of fields, by their message.
_NODE_INPUT, _NODE_OUTPUT, _OPERATOR, _ATTRIBUTE = 1, 2, 4, 5
_ATTRIBUTE_TENSOR = 5
_DIMS, _DATA_TYPE, _INT64_DATA, _TENSOR_NAME, _RAW_DATA = 1, 2, 7, 8, 9

_WEIGHTS = ("float", "bfloat", "complex", "int8", "uint8", "int4", "uint4", "int2", "uint2")
# Where operators take scales, zero points, statistics and limits, which are no weights.
_QUANTISED = (1, 2, 4, 5, 6, 7)
_SETTINGS = {
    "QuantizeLinear": (1, 2),
    "DequantizeLinear": (1, 2),
    "QLinearConv": _QUANTISED,
    "QLinearMatMul": _QUANTISED,
    "BatchNormalization": (3, 4),
    "Clip": (1, 2),
    "Pad": (1, 2),
    "Resize": (1, 2, 3),
    "Upsample": (1,),
}
# Where operators take biases that were quantised to 32 bits.
_BIASES = {"DequantizeLinear": 0, "QLinearConv": 8}
_BIAS_TYPE = "int32"
_LONGEST_SHAPE = 16


@dataclass
class _Found:
    """What was found while a file is read from its beginning to its end."""

    stored: list[tuple[str, str, int]] = field(default_factory=list)
    """Name, element type and count of each stored tensor that has an axis."""
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """The values of stored tensors that can be shapes."""
    generated: list[tuple[str, str]] = field(default_factory=list)
    """Of each tensor of floats that ConstantOfShape generates: its name, and that of its shape."""
    settings: set[str] = field(default_factory=set)
    """The names of tensors that are no weights, whatever their type."""
    biases: set[str] = field(default_factory=set)
    """The names of quantised biases."""

    @property
    def weights(self) -> int:
        """The number of weights, stored and generated."""
        stored = sum(count for name, dtype, count in self.stored if self._is_weight(name, dtype))
        generated = [shape for name, shape in self.generated if name not in self.settings]
        return stored + sum(math.prod(self.shapes.get(shape, (0,))) for shape in generated)

    def _is_weight(self, name: str, dtype: str) -> bool:
        if name in self.settings:
            return False
        return dtype.startswith(_WEIGHTS) or (dtype == _BIAS_TYPE and name in self.biases)


def onnx_weights(content: Content) -> int:
    """Return how many weights an ONNX model holds; raises DamagedMessageError.

    A weight that ConstantOfShape generates from one number counts with its whole shape, if the file stores
    that shape.
    """
    found = _Found()
    for kind, message in messages_in(content, FIELDS, MODEL):
        if kind == TENSOR:
            _add_tensor(content, message, found)
        elif kind == NODE:
            _add_node(content, message, found)
    return found.weights


def _add_tensor(content: Content, tensor: Field, found: _Found, name: str | None = None) -> None:
    """Note a stored tensor. `name`: that of the Constant node that holds it."""
    fields = list(fields_of(content, tensor))
    names = [
        name_of(content, part) for part in fields if (part.number, part.written) == (_TENSOR_NAME, LENGTH)
    ]
    known_as = name if name is not None else "".join(names[-1:])
    dims = tuple(dim for part in fields if part.number == _DIMS for dim in numbers_of(content, part))
    if any(dim < 0 for dim in dims):
        raise DamagedMessageError
    dtype = _dtype(content, fields)
    if dims:
        found.stored.append((known_as, dtype, math.prod(dims)))
    if dtype == "int64" and len(dims) == 1 and dims[0] <= _LONGEST_SHAPE:
        found.shapes[known_as] = _whole_numbers(content, fields)


def _add_node(content: Content, node: Field, found: _Found) -> None:
    fields = list(fields_of(content, node))
    operator = "".join(_names(content, fields, _OPERATOR))
    inputs = list(_names(content, fields, _NODE_INPUT))
    found.settings |= {inputs[place] for place in _SETTINGS.get(operator, ()) if place < len(inputs)}
    place = _BIASES.get(operator, len(inputs))
    found.biases |= set(inputs[place : place + 1])
    output = next(_names(content, fields, _NODE_OUTPUT), "")
    if operator == "Constant":
        for tensor in _attribute_tensors(content, fields):
            _add_tensor(content, tensor, found, output)
    elif operator == "ConstantOfShape" and inputs:
        values = [list(fields_of(content, tensor)) for tensor in _attribute_tensors(content, fields)]
        if any(_dtype(content, value).startswith(_WEIGHTS) for value in values):
            found.generated.append((output, inputs[0]))


def _attribute_tensors(content: Content, node: list[Field]) -> Iterator[Field]:
    for attribute in node:
        if (attribute.number, attribute.written) == (_ATTRIBUTE, LENGTH):
            for part in fields_of(content, attribute):
                if (part.number, part.written) == (_ATTRIBUTE_TENSOR, LENGTH):
                    yield part


def _names(content: Content, fields: list[Field], number: int) -> Iterator[str]:
    return (name_of(content, part) for part in fields if (part.number, part.written) == (number, LENGTH))


def _dtype(content: Content, tensor: list[Field]) -> str:
    numbers = [part for part in tensor if (part.number, part.written) == (_DATA_TYPE, VARINT)]
    code = next(numbers_of(content, numbers[-1])) if numbers else 0
    return DTYPES.get(code, f"type {code}")


def _whole_numbers(content: Content, tensor: list[Field]) -> tuple[int, ...]:
    """Return the values of an int64 tensor, however the file writes them; none if another file has them."""
    packed = [value for part in tensor if part.number == _INT64_DATA for value in numbers_of(content, part)]
    raw = b"".join(
        content[part.start : part.end]
        for part in tensor
        if (part.number, part.written) == (_RAW_DATA, LENGTH)
    )
    count = len(raw) // 8
    return (*packed, *struct.unpack(f"<{count}q", raw[: count * 8]))
