"""An ExecuTorch program as its file has it: what its method takes and gives, its operators, its constants.

It reads the file by the numbers of ExecuTorch's schema/program.fbs, and needs no package. What is stored for
backends other than XNNPACK is their own, and stays closed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bundle.executorch_header import read_header
from bench.bundle.flatbuffer import BYTE, UBYTE, UINT, ULONG, DamagedTableError, StoredTable, root_table
from bench.runtimes.executed import convolution_macs, matrix_macs, moved, transposed_convolution_macs
from bench.runtimes.xnnpack_graph import ProgramStep, StoredValue, XnnpackGraph, read_xnnpack_graph

XNNPACK = "XnnpackBackend"
METHOD = "forward"
_MAGIC, _MAGIC_AT = b"ET12", 4
# Scalar types by their numbers, as numpy names them.
_DTYPES = {
    **dict(enumerate(("uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"))),
    11: "bool",
    12: "int8",
    13: "uint8",
    14: "int32",
    15: "bfloat16",
    27: "uint16",
    28: "uint32",
    29: "uint64",
}
_TENSOR, _NO_TENSORS = 5, {2: "int", 3: "bool", 4: "float", 6: "str"}
_KERNEL, _DELEGATE = 1, 2
_IN_SEGMENT = 1
_CONVOLUTION = "aten::convolution"
_MATRICES = {"aten::linear": 0, "aten::mm": 0, "aten::bmm": 0, "aten::addmm": 1}  # the first factor
_CONVERSIONS = ("dim_order_ops::_to_dim_order_copy", "aten::_to_copy")
_QUANTISE, _DEQUANTISE = "quantized_decomposed::quantize", "quantized_decomposed::dequantize"


class NoMethodError(Exception):
    """A program without the method that edgefit runs."""

    def __init__(self, methods: Sequence[str]) -> None:
        names = ", ".join(methods) or "none"
        super().__init__(
            f"edgefit runs the method '{METHOD}', and the program's methods are: {names}; export it under "
            f"the name {METHOD}"
        )


@dataclass(frozen=True)
class Program:
    """What a file says of the method `forward`."""

    inputs: tuple[StoredValue | str, ...]
    """What it takes; for an input that is no tensor, what it is instead."""
    outputs: tuple[StoredValue | str, ...]
    """What it gives."""
    steps: tuple[ProgramStep, ...]
    """Its operators, in order."""
    constants: tuple[StoredValue, ...]
    """Its weights and other constants."""
    backends: tuple[str, ...]
    """The backends that it needs."""


def read_program(path: Path) -> Program:
    """Read a program; raises DamagedTableError if the file is none, or only a part of one."""
    content = path.read_bytes()
    if content[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] != _MAGIC:
        raise DamagedTableError
    root = root_table(content)
    plans = {plan.text(0): plan for plan in root.tables(1)}
    if METHOD not in plans:
        raise NoMethodError(tuple(plans))
    plan = plans[METHOD]
    values = [_value(value) for value in plan.tables(2)]
    backends = tuple(delegate.text(0) for delegate in plan.tables(7))
    graphs = [_graph(root, delegate) for delegate in plan.tables(7)]
    own = [value for value in values if isinstance(value, StoredValue) and value.is_constant]
    return Program(
        inputs=tuple(_at(values, index) for index in plan.numbers(3)),
        outputs=tuple(_at(values, index) for index in plan.numbers(4)),
        steps=tuple(_steps(plan, values, backends, graphs)),
        constants=(*own, *(value for graph in graphs if graph is not None for value in graph.constants)),
        backends=tuple(dict.fromkeys(backends)),
    )


def _value(stored: StoredTable) -> StoredValue | str:
    kind, tensor = stored.number(0, UBYTE), stored.table(1)
    if kind != _TENSOR or tensor is None:
        return _NO_TENSORS.get(kind, "a list")
    dtype = tensor.number(0, BYTE)
    return StoredValue(_DTYPES.get(dtype, f"type {dtype}"), tensor.numbers(2), tensor.number(5, UINT) != 0)


def _at(values: Sequence[StoredValue | str], index: int) -> StoredValue | str:
    if not 0 <= index < len(values):
        raise DamagedTableError
    return values[index]


def _graph(root: StoredTable, delegate: StoredTable) -> XnnpackGraph | None:
    """Return what XNNPACK runs of a delegate; None if another backend runs it."""
    reference = delegate.table(1)
    if delegate.text(0) != XNNPACK or reference is None:
        return None
    index = reference.number(1, UINT)
    if reference.number(0, BYTE) == _IN_SEGMENT:
        blob = _segment(root, index)
    else:
        blobs = root.tables(3)
        blob = blobs[index].bytes_of(0) if index < len(blobs) else b""
    return read_xnnpack_graph(blob, XNNPACK)


def _segment(root: StoredTable, index: int) -> bytes:
    """Return a segment's bytes: they stand behind the program, from where its header says."""
    content, segments, header = root.content, root.tables(4), read_header(root.content)
    if header is None or index >= len(segments):
        raise DamagedTableError
    start = header.segments_start + segments[index].number(0, ULONG)
    end = start + segments[index].number(1, ULONG)
    if end > len(content):
        raise DamagedTableError
    return content[start:end]


def _steps(
    plan: StoredTable,
    values: Sequence[StoredValue | str],
    backends: Sequence[str],
    graphs: Sequence[XnnpackGraph | None],
) -> Iterator[ProgramStep]:
    """Yield the operators in the order in which they run."""
    names = [operator.text(0) for operator in plan.tables(6)]
    for instruction in (each for chain in plan.tables(5) for each in chain.tables(2)):
        kind, call = instruction.number(0, UBYTE), instruction.table(1)
        if call is None or kind not in (_KERNEL, _DELEGATE):
            continue
        index = call.number(0)
        if not 0 <= index < len(names if kind == _KERNEL else backends):
            raise DamagedTableError
        if kind == _KERNEL:
            yield _kernel(names[index], [_at(values, argument) for argument in call.numbers(1)])
        elif (graph := graphs[index]) is not None:
            yield from graph.steps
        else:
            yield ProgramStep(backends[index], backends[index], macs=None)


def _kernel(name: str, arguments: Sequence[StoredValue | str]) -> ProgramStep:
    """Return an operator that the program's own kernels run; the last of its tensors is what it gives."""
    tensors = [argument for argument in arguments if isinstance(argument, StoredValue)]
    if name in _CONVERSIONS and len(tensors) > 1 and tensors[0].dtype != tensors[-1].dtype:
        return ProgramStep(name, None, converts=(tensors[0].dtype, tensors[-1].dtype))
    if name.startswith((_QUANTISE, _DEQUANTISE)) and len(tensors) > 1:
        return ProgramStep(name, None, converts=(tensors[0].dtype, tensors[-1].dtype))
    if name in _MATRICES and len(tensors) > _MATRICES[name] + 2:
        taken, weight = tensors[_MATRICES[name] :][:2]
        shapes = taken.shape, weight.shape, tensors[-1].shape
        return ProgramStep(name, None, matrix_macs(shapes[2], taken.shape[-1]), moved(*shapes), taken.dtype)
    if name == _CONVOLUTION and len(tensors) > 2:
        return _convolution(name, tensors)
    return ProgramStep(name, None)


def _convolution(name: str, tensors: Sequence[StoredValue]) -> ProgramStep:
    """Return a convolution. A transposed one has as many input channels as its weights have first ones."""
    taken, weight, output = tensors[0].shape, tensors[1].shape, tensors[-1].shape
    is_transposed = weight[0] == taken[1] and weight[0] != output[1]
    macs = (
        transposed_convolution_macs(taken, weight, taken[1])
        if is_transposed
        else convolution_macs(output, weight, weight[0])
    )
    return ProgramStep(name, None, macs, moved(taken, weight, output), tensors[0].dtype)
