"""The layers of a file of which no network can be made, with their share of the work. Nothing runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from export.quantisation.sensitivity import Layer
from export.sources.source import Base, OnnxBase, TfliteBase

if TYPE_CHECKING:
    import onnx
    import openvino

_OPENVINO_CONVOLUTIONS = ("Convolution", "GroupConvolution")
_OPENVINO_LAYERS = (*_OPENVINO_CONVOLUTIONS, "MatMul")


@dataclass(frozen=True)
class _Work:
    """A layer's work, by its shapes."""

    name: str
    is_convolution: bool
    macs: int
    """Its multiply-accumulates; 0 where a shape is not known."""
    weights: int
    """How many weights it has."""


def layers_of(base: Base) -> tuple[Layer, ...]:
    """Return the layers in the order in which they run; none of their noise is known."""
    works = list(_works_of(base))
    macs = max(1, sum(work.macs for work in works))
    weights = max(1, sum(work.weights for work in works))
    return tuple(
        Layer(
            name=work.name,
            is_convolution=work.is_convolution,
            share_of_macs=work.macs / macs,
            share_of_weights=work.weights / weights,
            noise=0,
        )
        for work in works
    )


def _works_of(base: Base) -> Iterator[_Work]:
    match base:
        case OnnxBase(model=model):
            return _in_onnx(model)
        case TfliteBase(content=content):
            return _in_tflite(content)
    return _in_openvino(base.model)


def _in_tflite(content: bytes) -> Iterator[_Work]:
    from bench.runtimes.executed_litert import macs_of
    from export.tflite_model import read_tflite

    model = read_tflite(content)
    for position in model.layers():
        shapes = [model.shape(index) for index in model.inputs(position)]
        yield _Work(
            name=model.name(position),
            is_convolution=model.is_convolution(position),
            macs=macs_of(model.kind(position), shapes, model.shape(model.outputs(position)[0])),
            weights=model.weight(position).size,
        )


def _in_openvino(model: "openvino.Model") -> Iterator[_Work]:
    from bench.runtimes.graph_openvino import macs_of

    for operator in model.get_ordered_ops():
        kind = operator.get_type_name()
        if kind in _OPENVINO_LAYERS and reads_constant(operator):
            yield _Work(
                name=operator.get_friendly_name(),
                is_convolution=kind in _OPENVINO_CONVOLUTIONS,
                macs=macs_of(operator) or 0,
                weights=prod(operator.input(1).get_shape()),
            )


def reads_constant(operator: "openvino.Node") -> bool:
    """Whether an operator's second input is stored in the file, perhaps in another type or shape."""
    node = operator.input_value(1).get_node()
    while node.get_input_size():
        node = node.input_value(0).get_node()
    return str(node.get_type_name()) == "Constant"


def _in_onnx(model: "onnx.ModelProto") -> Iterator[_Work]:
    from export.sources.onnx_layers import layer_of

    stored = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    values = (*model.graph.value_info, *model.graph.output)
    shapes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in values}
    for node in model.graph.node:
        if (layer := layer_of(node, stored)) is None:
            continue
        weight, output = stored[f"{layer}.weight"], shapes.get(node.output[0])
        inner = weight[0] if node.op_type == "MatMul" else prod(weight[1:])
        yield _Work(
            name=layer,
            is_convolution=node.op_type == "Conv",
            macs=0 if output is None else prod(output) * inner,
            weights=prod(weight),
        )
