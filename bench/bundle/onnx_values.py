"""The inputs and outputs that an ONNX file states, read without a runtime."""

from bench.bundle.onnx_graph import DTYPES, OnnxGraph
from bench.bundle.protobuf import (
    LENGTH,
    VARINT,
    Content,
    Field,
    fields_of,
    name_of,
    numbers_of,
    whole_message,
)
from bench.bundle.signature import Signature, Tensor

# onnx.proto: the numbers of fields, by their message.
_GRAPH, _INPUT, _OUTPUT = 7, 11, 12
_NAME, _TYPE = 1, 2
_TENSOR_TYPE, _ELEMENT_TYPE, _SHAPE = 1, 1, 2
_DIM, _DIM_VALUE, _DIM_NAME = 1, 1, 2
_UNKNOWN, _NO_TENSOR = "?", "not a tensor"


def onnx_signature(content: Content, graph: OnnxGraph) -> Signature:
    """Return the signature that an ONNX model states; raises DamagedMessageError.

    Weights that an old file lists among its inputs are not in `graph.inputs`, and so left out.
    """
    tensors = {
        number: {
            tensor.name: tensor
            for main in _parts(content, whole_message(content), _GRAPH)
            for value in _parts(content, main, number)
            for tensor in [_tensor(content, value)]
        }
        for number in (_INPUT, _OUTPUT)
    }
    return Signature(
        inputs=tuple(tensors[_INPUT][name] for name in graph.inputs),
        outputs=tuple(tensors[_OUTPUT][name] for name in graph.outputs),
    )


def _tensor(content: Content, value: Field) -> Tensor:
    name = "".join(name_of(content, part) for part in _parts(content, value, _NAME)[-1:])
    types = [each for kind in _parts(content, value, _TYPE) for each in _parts(content, kind, _TENSOR_TYPE)]
    if not types:
        return Tensor(name=name, dtype=_NO_TENSOR, shape=None)
    code = _number(content, types[-1], _ELEMENT_TYPE) or 0
    shapes = _parts(content, types[-1], _SHAPE)
    return Tensor(
        name=name,
        dtype=DTYPES.get(code, f"type {code}"),
        shape=tuple(_axis(content, dim) for dim in _parts(content, shapes[-1], _DIM)) if shapes else None,
    )


def _axis(content: Content, dim: Field) -> int | str:
    size = _number(content, dim, _DIM_VALUE)
    if size is not None:
        return size
    return "".join(name_of(content, part) for part in _parts(content, dim, _DIM_NAME)[-1:]) or _UNKNOWN


def _parts(content: Content, message: Field, number: int) -> list[Field]:
    return [part for part in fields_of(content, message) if (part.number, part.written) == (number, LENGTH)]


def _number(content: Content, message: Field, number: int) -> int | None:
    """Return a number among a message's fields; None if it is not there. The last one counts."""
    parts = [part for part in fields_of(content, message) if (part.number, part.written) == (number, VARINT)]
    return next(numbers_of(content, parts[-1])) if parts else None
