"""What a program of ExecuTorch gives XNNPACK to run: its nodes in order, and their tensors.

The numbers are those of XNNPACK's schema.fbs in ExecuTorch. A file may have nodes of a newer schema, which
are named by their number.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from bench.bundle.flatbuffer import SHORT, UBYTE, UINT, DamagedTableError, StoredTable, root_table
from bench.runtimes.executed import (
    convolution_macs,
    inner_dimension,
    matrix_macs,
    moved,
    transposed_convolution_macs,
)

_HEADER, _HEADER_AT = b"XH00", 4
_OFFSETS = "<HII"  # the header's length, and the place and size of the graph
_DTYPES = (
    *("invalid", "float32", "float16", "int8", "uint8", "int32", "int8", "int32", "int4", "int8", "int4"),
    *("int8", "int32", "float32", "bfloat16"),
)
_NODES = (
    *("none", "Add", "FullyConnected", "Softmax", "Sigmoid", "StaticTranspose", "Clamp", "Conv2d", "Div"),
    *("StaticResizeBilinear2D", "StaticConstantPad", "AvgPooling2d", "Minimum", "DepthwiseConv2d"),
    *("MaxPooling2d", "Multiply", "Subtract", "Floor", "Convert", "GlobalAvgPooling2d", "StaticReshape"),
    *("ArgMaxPooling2d", "SquareRoot", "Ceiling", "Hardswish", "LeakyReLU", "Maximum", "Negate", "Square"),
    *("ELU", "Abs", "PReLU", "Concatenate2", "Concatenate3", "Concatenate4", "StaticSlice"),
    *("ScaledDotProductAttention", "BatchMatrixMultiply", "Concatenate5", "ConvTranspose2d"),
    *("ReciprocalSquareRoot", "Log", "Gelu", "Tanh", "Exp", "Sin", "Copy", "Cos"),
)
_CONVERT, _TRANSPOSED = "Convert", "ConvTranspose2d"
# The fields of a node that refer to its tensors: the two that it multiplies, and the one that it writes.
_CONVOLUTION = (15, 16, 18)
_MULTIPLIED = {
    **dict.fromkeys(("Conv2d", "DepthwiseConv2d", _TRANSPOSED), _CONVOLUTION),
    "FullyConnected": (0, 1, 3),
    "BatchMatrixMultiply": (0, 1, 2),
}
_GROUP_OUTPUTS, _GROUPS = 11, 12
_QUANTISED_VALUE = 2


@dataclass(frozen=True)
class StoredValue:
    """A tensor."""

    dtype: str
    """The type of its elements, by numpy's name where it has one."""
    shape: tuple[int, ...]
    """Its size on each axis; the largest one where it varies."""
    is_constant: bool
    """Whether the file holds its values."""


@dataclass(frozen=True)
class ProgramStep:
    """An operator, in the order in which a program runs it."""

    kind: str
    """Its name: XNNPACK's, or torch's if the program's own kernels run it."""
    backend: str | None
    """What runs it; None for the program's own kernels."""
    macs: int | None = 0
    """Multiply-accumulates of one inference; 0 if it multiplies no matrix, None if they are not known."""
    elements: int | None = 0
    """How many values it reads and writes, if it multiplies a matrix."""
    dtype: str = ""
    """The type of the elements that it multiplies by weights, if it does."""
    converts: tuple[str, str] | None = None
    """From and to which type of elements it converts; None if it does not."""

    @property
    def multiplies(self) -> bool:
        """Whether it is a convolution or matrix product."""
        return self.macs != 0


@dataclass(frozen=True)
class XnnpackGraph:
    """A part of a program that XNNPACK runs."""

    steps: tuple[ProgramStep, ...]
    """Its nodes."""
    constants: tuple[StoredValue, ...]
    """Its weights."""


def read_xnnpack_graph(blob: bytes, backend: str) -> XnnpackGraph:
    """Read what ExecuTorch stored for XNNPACK; raises DamagedTableError if it is nothing of the kind."""
    graph = root_table(_graph_in(blob))
    values = dict(map(_value, graph.tables(2)))
    steps = tuple(_step(node, values, backend) for node in graph.tables(1))
    return XnnpackGraph(steps, tuple(value for value in values.values() if value.is_constant))


def _graph_in(blob: bytes) -> bytes:
    """Return the graph's own buffer, which stands behind a header in files since 2023."""
    if blob[_HEADER_AT : _HEADER_AT + len(_HEADER)] != _HEADER:
        return blob
    try:
        _, start, size = struct.unpack_from(_OFFSETS, blob, _HEADER_AT + len(_HEADER))
    except struct.error:
        raise DamagedTableError from None
    return blob[start : start + size]


def _value(stored: StoredTable) -> tuple[int, StoredValue]:
    """Return a tensor, and the number by which nodes refer to it."""
    tensor = stored.table(1)
    if tensor is not None and stored.number(0, UBYTE) == _QUANTISED_VALUE:
        tensor = tensor.table(0)
    if tensor is None:
        raise DamagedTableError
    number = tensor.number(0, SHORT)
    dtype = _DTYPES[number] if 0 <= number < len(_DTYPES) else f"type {number}"
    return tensor.number(6, UINT), StoredValue(dtype, tensor.numbers(2, UINT), tensor.number(3, UINT) != 0)


def _step(stored: StoredTable, values: Mapping[int, StoredValue], backend: str) -> ProgramStep:
    number, node = stored.number(0, UBYTE), stored.table(1)
    kind = _NODES[number] if number < len(_NODES) else f"node {number}"
    if node is None:
        raise DamagedTableError
    if kind == _CONVERT:
        source, target = (_tensor(node, field, values) for field in (0, 1))
        return ProgramStep(kind, backend, converts=(source.dtype, target.dtype))
    if kind not in _MULTIPLIED:
        return ProgramStep(kind, backend, macs=None if kind == "ScaledDotProductAttention" else 0)
    taken, weight, output = (_tensor(node, field, values) for field in _MULTIPLIED[kind])
    shapes = taken.shape, weight.shape, output.shape
    return ProgramStep(kind, backend, _macs(kind, node, *shapes), moved(*shapes), taken.dtype)


def _tensor(node: StoredTable, field: int, values: Mapping[int, StoredValue]) -> StoredValue:
    if (value := values.get(node.number(field, UINT))) is None:
        raise DamagedTableError
    return value


def _macs(
    kind: str, node: StoredTable, taken: tuple[int, ...], weight: tuple[int, ...], output: tuple[int, ...]
) -> int:
    if _MULTIPLIED[kind] is _CONVOLUTION:
        channels = node.number(_GROUPS, UINT) * node.number(_GROUP_OUTPUTS, UINT)
        if kind == _TRANSPOSED:
            return transposed_convolution_macs(taken, weight, taken[-1])
        return convolution_macs(output, weight, channels)
    if kind == "FullyConnected":
        return matrix_macs(output, taken[-1])
    return matrix_macs(output, inner_dimension(taken, weight, output))
