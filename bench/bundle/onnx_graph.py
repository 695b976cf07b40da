"""What an ONNX file says of its network: inputs, outputs, operators, weights and precision.

It reads the file itself, without the package `onnx`, which a board may not have, and copies no tensor. It
does not know shapes, nor whether a runtime has the operators. Training graphs, which inference never runs,
are not read.
"""

import math
import mmap
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

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
    text_of,
    whole_message,
)
from bench.bundle.variants import Precision
from bench.errors import InputError
from bench.filesystem.disk_errors import why_unread
from user_files.faults import why_unreadable

MODEL, _GRAPH, _FUNCTION, NODE, TENSOR = (
    "ModelProto",
    "GraphProto",
    "FunctionProto",
    "NodeProto",
    "TensorProto",
)
# onnx.proto: the fields through which a model that runs reaches nodes and stored weights.
FIELDS: dict[str, dict[int, str]] = {
    MODEL: {7: _GRAPH, 25: _FUNCTION},
    _FUNCTION: {7: NODE, 11: "AttributeProto"},
    _GRAPH: {1: NODE, 5: TENSOR, 15: "SparseTensorProto"},
    NODE: {5: "AttributeProto"},
    "AttributeProto": {6: _GRAPH, 11: _GRAPH},
    "SparseTensorProto": {1: TENSOR},
}
# onnx.proto: the numbers of fields, by their message.
_IR_VERSION, _PRODUCER, _PRODUCER_VERSION, _MAIN_GRAPH, _OPSET, _METADATA, _FUNCTIONS = 1, 2, 3, 7, 8, 14, 25
_INITIALIZER, _INPUT, _OUTPUT, _SPARSE_INITIALIZER = 5, 11, 12, 15
_ATTRIBUTE, _OPERATOR, _NODE_DOMAIN = 5, 4, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_SPARSE_TENSOR = 5, 22
_SPARSE_VALUES = 1
_DIMS, _DATA_TYPE, _TENSOR_NAME = 1, 2, 8
_FUNCTION_NAME, _FUNCTION_DOMAIN = 1, 10
_VALUE_NAME = 1
_KEY, _VALUE = 1, 2
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2

DTYPES: dict[int, str] = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "string",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8e4m3fn",
    18: "float8e4m3fnuz",
    19: "float8e5m2",
    20: "float8e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4e2m1",
    24: "float8e8m0",
    25: "uint2",
    26: "int2",
    27: "float6e2m3",
    28: "float6e3m2",
}
"""The element types of tensors, by their numbers in ONNX and their names in NumPy."""

_STANDARD, _STANDARD_ALIAS, _MICROSOFT = "", "ai.onnx", "com.microsoft"
# What ONNX defines, and what onnxruntime has of its own, in files that it has optimised too.
_KNOWN_DOMAINS = frozenset(
    {
        _STANDARD,
        "ai.onnx.ml",
        "ai.onnx.preview",
        "ai.onnx.preview.training",
        "ai.onnx.training",
        _MICROSOFT,
        "com.microsoft.experimental",
        "com.microsoft.nchwc",
        "com.ms.internal.nhwc",
    }
)
_QUANTISED_OPERATOR = re.compile(
    r"(Dynamic)?Quantize(Linear|MatMul|LSTM)|DequantizeLinear|Q(Linear|Ordered)\w+|QGemm|QAttention"
    r"|(Conv|MatMul)Integer\w*|MatMulNBits|MatMulBnb4|GatherBlockQuantized"
)

_Read = TypeVar("_Read")

Operator = tuple[str, str]
"""An operator's domain, "" for ONNX's own, and its type."""


@dataclass(frozen=True)
class OnnxGraph:
    """An ONNX file's network. Domains are "" for ONNX's own operators, however the file writes it."""

    ir_version: int
    """The version of the file format."""
    opsets: tuple[tuple[str, int], ...]
    """The operator sets that it is written for: domain and version."""
    producer: str
    """What wrote the file, with its version; "" if it does not say."""
    operators: Mapping[Operator, int]
    """How many nodes it has of each operator, in subgraphs and in the bodies of its functions too.

    A body counts once, however often the function is called. Calls of the file's own functions are no
    operators.
    """
    initializer_elements: Mapping[str, int]
    """How many numbers it stores of each element type: initializers and the tensors of Constant nodes."""
    metadata: Mapping[str, str]
    """Its metadata_props."""
    inputs: tuple[str, ...]
    """The names of its inputs, without weights, which old files list among them."""
    outputs: tuple[str, ...]
    """The names of its outputs."""

    @property
    def opset(self) -> int | None:
        """The version of ONNX's own operators; None if it uses none of them."""
        return dict(self.opsets).get(_STANDARD)

    @property
    def parameters(self) -> int:
        """How many numbers it stores. A weight that a node generates from one number is one number."""
        return sum(self.initializer_elements.values())

    @property
    def is_quantised(self) -> bool:
        """Whether it has an operator that quantises, or that computes with quantised numbers."""
        return any(
            domain in (_STANDARD, _MICROSOFT) and _QUANTISED_OPERATOR.fullmatch(operator)
            for domain, operator in self.operators
        )

    @property
    def custom_domains(self) -> tuple[str, ...]:
        """The domains of its operators that neither ONNX nor onnxruntime defines."""
        return tuple(sorted({domain for domain, _ in self.operators} - _KNOWN_DOMAINS))

    @property
    def precision(self) -> Precision:
        """The precision by the graph: int8 if quantised, fp16 if most floating-point weights are half."""
        if self.is_quantised:
            return Precision.INT8
        floats = sum(count for dtype, count in self.initializer_elements.items() if "float" in dtype)
        in_half = self.initializer_elements.get("float16", 0)
        return Precision.FP16 if in_half * 2 > floats else Precision.FP32


def read_onnx_graph(path: Path) -> OnnxGraph:
    """Read what an ONNX file says of its network; raises InputError if the file is damaged."""
    return read_onnx(path, onnx_graph)


def read_onnx(path: Path, read: Callable[[Content], _Read]) -> _Read:
    """Return what `read` reads in an ONNX file; raises InputError if the file is damaged."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return read(content)
    except (DamagedMessageError, ValueError):  # an empty file cannot be mapped
        raise InputError(
            why_unreadable(path)
            or f"{path}: is a damaged ONNX model, cut off perhaps; copy, download or export it again"
        ) from None
    except OSError as error:
        raise InputError(why_unread(error, path)) from None


def onnx_graph(content: Content) -> OnnxGraph:
    """Read what an ONNX model says of its network; raises DamagedMessageError."""
    fields = list(fields_of(content, whole_message(content)))
    opsets = [_opset(content, field) for field in fields if field.number == _OPSET]
    graphs = [field for field in fields if (field.number, field.written) == (_MAIN_GRAPH, LENGTH)]
    if not graphs or not opsets:
        raise DamagedMessageError
    weights = {name for graph in graphs for name in _weight_names(content, graph)}
    inputs = [name for graph in graphs for name in _value_names(content, graph, _INPUT)]
    operators, elements = _counts(content)
    functions = {_function(content, field) for field in fields if field.number == _FUNCTIONS}
    producer = [_text(content, fields, number) for number in (_PRODUCER, _PRODUCER_VERSION)]
    return OnnxGraph(
        ir_version=_number(content, fields, _IR_VERSION),
        opsets=tuple(opsets),
        producer=" ".join(word for word in producer if word),
        operators={operator: count for operator, count in operators.items() if operator not in functions},
        initializer_elements=dict(elements),
        metadata=dict(_entry(content, field) for field in fields if field.number == _METADATA),
        inputs=tuple(name for name in inputs if name not in weights),
        outputs=tuple(name for graph in graphs for name in _value_names(content, graph, _OUTPUT)),
    )


def _counts(content: Content) -> tuple[Counter[Operator], Counter[str]]:
    """Count the nodes of each operator and the stored numbers of each element type, in the whole file."""
    operators: Counter[Operator] = Counter()
    elements: Counter[str] = Counter()
    for kind, message in messages_in(content, FIELDS, MODEL):
        if kind == TENSOR:
            _add_elements(content, message, elements)
        elif kind == NODE:
            fields = list(fields_of(content, message))
            operator = _domain(content, fields, _NODE_DOMAIN), _text(content, fields, _OPERATOR)
            operators[operator] += 1
            if operator == (_STANDARD, "Constant"):
                for tensor in _constants(content, fields):
                    _add_elements(content, tensor, elements)
    return operators, elements


def _constants(content: Content, node: list[Field]) -> Iterator[Field]:
    """Yield the tensors of a Constant node; of a sparse one, that of its values."""
    for attribute in _submessages(node, _ATTRIBUTE):
        fields = list(fields_of(content, attribute))
        yield from _submessages(fields, _ATTRIBUTE_TENSOR)
        for sparse in _submessages(fields, _ATTRIBUTE_SPARSE_TENSOR):
            yield from _submessages(list(fields_of(content, sparse)), _SPARSE_VALUES)


def _add_elements(content: Content, tensor: Field, elements: Counter[str]) -> None:
    fields = list(fields_of(content, tensor))
    dtype = _number(content, fields, _DATA_TYPE)
    dims = [dim for field in fields if field.number == _DIMS for dim in numbers_of(content, field)]
    if any(dim < 0 for dim in dims):
        raise DamagedMessageError
    elements[DTYPES.get(dtype, f"type {dtype}")] += math.prod(dims)


def _weight_names(content: Content, graph: Field) -> Iterator[str]:
    for field in fields_of(content, graph):
        if (field.number, field.written) == (_INITIALIZER, LENGTH):
            yield _text(content, list(fields_of(content, field)), _TENSOR_NAME)
        elif (field.number, field.written) == (_SPARSE_INITIALIZER, LENGTH):
            for values in _submessages(list(fields_of(content, field)), _SPARSE_VALUES):
                yield _text(content, list(fields_of(content, values)), _TENSOR_NAME)


def _value_names(content: Content, graph: Field, number: int) -> Iterator[str]:
    for value in _submessages(list(fields_of(content, graph)), number):
        yield _text(content, list(fields_of(content, value)), _VALUE_NAME)


def _submessages(fields: list[Field], number: int) -> Iterator[Field]:
    return (field for field in fields if (field.number, field.written) == (number, LENGTH))


def _opset(content: Content, field: Field) -> tuple[str, int]:
    fields = list(fields_of(content, field))
    return _domain(content, fields, _OPSET_DOMAIN), _number(content, fields, _OPSET_VERSION)


def _function(content: Content, field: Field) -> Operator:
    fields = list(fields_of(content, field))
    return _domain(content, fields, _FUNCTION_DOMAIN), _text(content, fields, _FUNCTION_NAME)


def _entry(content: Content, field: Field) -> tuple[str, str]:
    fields = list(fields_of(content, field))
    values = [text_of(content, value) for value in _submessages(fields, _VALUE)]
    return _text(content, fields, _KEY), values[-1] if values else ""


def _domain(content: Content, fields: list[Field], number: int) -> str:
    domain = _text(content, fields, number)
    return _STANDARD if domain == _STANDARD_ALIAS else domain


def _text(content: Content, fields: list[Field], number: int) -> str:
    """Return a name among a message's fields; "" if it is not there. The last one counts."""
    names = list(_submessages(fields, number))
    return name_of(content, names[-1]) if names else ""


def _number(content: Content, fields: list[Field], number: int) -> int:
    """Return a number among a message's fields; 0 if it is not there. The last one counts."""
    stored = [field for field in fields if (field.number, field.written) == (number, VARINT)]
    return next(numbers_of(content, stored[-1])) if stored else 0
