"""A LiteRT file's own graph: its operators with their tensors, and what follows from them. Nothing runs.

The file is read with the schema that LiteRT's package brings. Only its first subgraph is a model's own; the
others are bodies of loops and branches.
"""

import math
import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from bench.bundle.model_graph import ModelGraph, operator_counts
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import ModelDescription, Signature, Tensor
from bench.bundle.variants import Precision
from bench.runtimes.executed_litert import WEIGHTED, macs_of
from user_files.contents import ContentError

_DTYPES = {"BOOL": "bool", "STRING": "str"}
_WEIGHTS = ("FLOAT32", "FLOAT16", "INT8", "UINT8", "INT4")
_INTEGERS = ("INT8", "UINT8", "INT4", "INT16")
# A file begins with the offset of its first table, and this.
_IDENTIFIER = b"TFL3"
_UNCOUNTED = frozenset(
    {
        *("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM", "LSTM", "RNN", "SVDF", "CONV_3D"),
        *("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN", "CONV_3D_TRANSPOSE", "CUSTOM"),
    }
)


class DamagedFileError(ContentError):
    """A LiteRT file that is cut off or damaged."""


@dataclass(frozen=True)
class GraphTensor:
    """A tensor of the graph."""

    index: int
    """Its number in the graph."""
    name: str
    """Its name."""
    dtype: str
    """The type of its elements by the schema's name."""
    shape: tuple[int, ...]
    """Its sizes; where an axis is open, that which the file is laid out for, which is 1."""
    open_axes: frozenset[int]
    """The axes whose size the file leaves open."""
    is_constant: bool
    """Whether the file holds its values."""
    is_quantised: bool
    """Whether it has a scale: its integers stand for floats."""
    quantisation: Quantisation | None
    """How they do; None if it has no scale, or one for each channel."""

    @property
    def stated(self) -> Tensor:
        """The tensor as a signature states it."""
        shape = tuple("?" if axis in self.open_axes else size for axis, size in enumerate(self.shape))
        dtype = _DTYPES.get(self.dtype, self.dtype.lower())
        return Tensor(name=self.name, dtype=dtype, shape=shape, quantisation=self.quantisation)


@dataclass(frozen=True)
class GraphOperator:
    """An operator of the graph."""

    kind: str
    """The schema's name of it; of a custom one its own name."""
    inputs: tuple[GraphTensor | None, ...]
    """What it reads; None where it leaves out an optional input."""
    outputs: tuple[GraphTensor, ...]
    """What it gives."""


@dataclass(frozen=True)
class FileGraph:
    """The first subgraph of a file."""

    producer: str | None
    """What wrote the file; None if it does not say."""
    version: int
    """The version of the schema."""
    inputs: tuple[GraphTensor, ...]
    """What one inference takes, under the names of the file's signature."""
    outputs: tuple[GraphTensor, ...]
    """What one inference gives."""
    tensors: tuple[GraphTensor, ...]
    """All tensors."""
    operators: tuple[GraphOperator, ...]
    """All operators, in the order in which they run."""

    @property
    def precision(self) -> Precision:
        """int8 if a layer has 8-bit weights that are computed with, fp16 with most weights in half.

        Without weights, as in a file that was compiled for an accelerator, it is that of the inputs.
        """
        layers = [each for each in self.operators if each.kind in WEIGHTED]
        weights = [each.inputs[1] for each in layers if len(each.inputs) > 1]
        if any(weight is not None and weight.dtype in _INTEGERS for weight in weights):
            return Precision.INT8
        sizes: Counter[str] = Counter()
        for tensor in self.tensors:
            if tensor.is_constant:
                sizes[tensor.dtype] += math.prod(tensor.shape)
        if not any(sizes[dtype] for dtype in _WEIGHTS):
            takes_int8 = any(each.is_quantised and each.dtype in _INTEGERS for each in self.inputs)
            return Precision.INT8 if takes_int8 else Precision.FP32
        floats = sizes["FLOAT32"] + sizes["FLOAT16"]
        if sizes["INT8"] + sizes["UINT8"] > floats:
            return Precision.INT8
        return Precision.FP16 if sizes["FLOAT16"] > sizes["FLOAT32"] else Precision.FP32


def describe_file(entry: Path) -> ModelDescription:
    """Return a file's inputs, outputs and precision."""
    graph = read_file_graph(entry)
    return ModelDescription(
        signature=Signature(
            inputs=tuple(tensor.stated for tensor in graph.inputs),
            outputs=tuple(tensor.stated for tensor in graph.outputs),
        ),
        precision=graph.precision,
    )


def model_graph_of(graph: FileGraph, shapes: Mapping[int, Sequence[int]] | None) -> ModelGraph:
    """Return the operators with their multiply-accumulates. `shapes`: of the tensors; None: not known."""
    macs: Counter[str] = Counter()
    for operator in graph.operators:
        if shapes is not None and operator.kind in WEIGHTED:
            read = [() if tensor is None else shapes[tensor.index] for tensor in operator.inputs]
            macs[operator.kind] += macs_of(operator.kind, read, shapes[operator.outputs[0].index])
    return ModelGraph(
        producer=graph.producer,
        ir_version=graph.version,
        opsets=(),
        operators=operator_counts(
            Counter(each.kind for each in graph.operators),
            None if shapes is None else macs,
            _UNCOUNTED,
        ),
        parameters=sum(map(_parameters, graph.tensors)),
        precision=graph.precision,
    )


def _parameters(tensor: GraphTensor) -> int:
    """Return how many weights a tensor holds: constants of 32 bits are shapes, or biases of int8 layers."""
    is_weight = tensor.dtype in _WEIGHTS or (tensor.dtype == "INT32" and tensor.is_quantised)
    return math.prod(tensor.shape) if tensor.is_constant and tensor.shape and is_weight else 0


def read_file_graph(entry: Path) -> FileGraph:
    """Read a file's graph. Raises DamagedFileError if it is none."""
    content = entry.read_bytes()
    try:
        return _graph_in(content)
    except (IndexError, ValueError, TypeError, AttributeError, KeyError, OverflowError, struct.error):
        raise DamagedFileError("it is cut off or damaged") from None


_KINDS = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_TYPES = {value: name for name, value in vars(schema.TensorType).items() if not name.startswith("_")}


def _graph_in(content: bytes) -> FileGraph:
    if content[4:8] != _IDENTIFIER:
        raise ValueError
    model = schema.Model.GetRootAs(content, 0)
    graph = model.Subgraphs(0)
    tensors = tuple(_tensor(model, graph.Tensors(index), index) for index in range(graph.TensorsLength()))
    names = _names_in_signature(model)
    kinds = [_kind(model.OperatorCodes(index)) for index in range(model.OperatorCodesLength())]
    described = model.Description()
    return FileGraph(
        producer=None if described is None else described.decode(errors="replace").rstrip("."),
        version=model.Version(),
        inputs=tuple(
            _renamed(tensors[graph.Inputs(index)], names, f"input_{index}")
            for index in range(graph.InputsLength())
        ),
        outputs=tuple(
            _renamed(tensors[graph.Outputs(index)], names, f"output_{index}")
            for index in range(graph.OutputsLength())
        ),
        tensors=tensors,
        operators=tuple(
            _operator(graph.Operators(index), kinds, tensors) for index in range(graph.OperatorsLength())
        ),
    )


def _tensor(model: schema.Model, tensor: schema.Tensor, index: int) -> GraphTensor:
    buffer, quantised = model.Buffers(tensor.Buffer()), tensor.Quantization()
    stated = [tensor.ShapeSignature(axis) for axis in range(tensor.ShapeSignatureLength())]
    return GraphTensor(
        index=index,
        name=(tensor.Name() or b"").decode(errors="replace"),
        dtype=_TYPES[tensor.Type()],
        shape=tuple(int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength())),
        open_axes=frozenset(axis for axis, size in enumerate(stated) if size < 0),
        is_constant=bool(buffer.DataLength() or buffer.Size()),
        is_quantised=quantised is not None and quantised.ScaleLength() > 0,
        quantisation=_quantisation(quantised),
    )


def _quantisation(stated: schema.QuantizationParameters | None) -> Quantisation | None:
    if stated is None or stated.ScaleLength() != 1 or stated.Scale(0) <= 0:
        return None
    zero_point = int(stated.ZeroPoint(0)) if stated.ZeroPointLength() else 0
    return Quantisation(scale=float(stated.Scale(0)), zero_point=zero_point)


def _names_in_signature(model: schema.Model) -> dict[int, str]:
    """Return the names that the file's signature gives to tensors, by their number."""
    if not model.SignatureDefsLength():
        return {}
    signature = model.SignatureDefs(0)
    maps = [signature.Inputs(index) for index in range(signature.InputsLength())]
    maps += [signature.Outputs(index) for index in range(signature.OutputsLength())]
    return {each.TensorIndex(): each.Name().decode(errors="replace") for each in maps}


def _renamed(tensor: GraphTensor, names: dict[int, str], unnamed: str) -> GraphTensor:
    name = names.get(tensor.index) or tensor.name or unnamed
    return GraphTensor(**{**vars(tensor), "name": name})


def _kind(code: schema.OperatorCode) -> str:
    """Return an operator's name. Files of before 2020 have it in a field of 8 bits."""
    if (custom := code.CustomCode()) is not None:
        return str(custom.decode(errors="replace"))
    return str(_KINDS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())])


def _operator(
    operator: schema.Operator, kinds: Sequence[str], tensors: Sequence[GraphTensor]
) -> GraphOperator:
    read = [operator.Inputs(index) for index in range(operator.InputsLength())]
    return GraphOperator(
        kind=kinds[operator.OpcodeIndex()],
        inputs=tuple(None if index < 0 else tensors[index] for index in read),
        outputs=tuple(tensors[operator.Outputs(index)] for index in range(operator.OutputsLength())),
    )
