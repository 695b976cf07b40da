"""What OpenVINO ran: the execution nodes of its runtime model, which holds each one's type and shapes."""

import openvino

from bench.measurements import Executed, Operator
from bench.runtimes.executed import (
    PRECISIONS,
    convolution_macs,
    inner_dimension,
    matrix_macs,
    moved,
    transposed_convolution_macs,
)

_TRANSPOSED = "Deconvolution"
_CONVOLUTIONS = ("Convolution", _TRANSPOSED)
_MATRICES = ("FullyConnected", "MatMul")
_INTEGERS = ("u8", "i8")

Shape = list[int]
_FLOATS = ("f32", "f16", "bf16")


def executed_by(compiled: openvino.CompiledModel) -> Executed:
    """Read the runtime model of a compiled model.

    A reorder or conversion between a float and an 8-bit type is a quantise or dequantise step, one between
    two float types a cast; constants are made once, and do not count.
    """
    nodes = compiled.get_runtime_model().get_ordered_ops()
    steps = [
        (_input_type(node), _output_type(node))
        for node in nodes
        if _kind(node) in ("Reorder", "Convert", "FakeQuantize", "Quantize")
    ]
    return Executed(
        source="OpenVINO's runtime model",
        operators=tuple(_operator(node) for node in nodes if _kind(node) in _CONVOLUTIONS + _MATRICES),
        casts=sum(a in _FLOATS and b in _FLOATS and a != b for a, b in steps),
        quantise=sum(a in _FLOATS and b in _INTEGERS for a, b in steps),
        dequantise=sum(a in _INTEGERS and b in _FLOATS for a, b in steps),
    )


def _operator(node: openvino.Node) -> Operator:
    precision = _info(node, "runtimePrecision")
    shapes = _shapes(node)
    return Operator(
        name=node.get_friendly_name(),
        operation=_kind(node),
        precision=PRECISIONS.get(precision, precision),
        macs=None if shapes is None else _macs(_kind(node), *shapes),
        elements=None if shapes is None else moved(*shapes),
    )


def _shapes(node: openvino.Node) -> tuple[Shape, Shape, Shape] | None:
    """Return the shapes of both inputs and the output; None if one depends on data that was not seen yet."""
    taken, weight = node.inputs()[:2]
    ports = [port.get_partial_shape() for port in (taken, weight, node.output(0))]
    if any(shape.is_dynamic for shape in ports):
        return None
    first, second, output = (list(shape.to_shape()) for shape in ports)
    return first, second, output


def _macs(kind: str, taken: Shape, weight: Shape, output: Shape) -> int:
    if kind == _TRANSPOSED:
        return transposed_convolution_macs(taken, weight, taken[1])
    if kind in _CONVOLUTIONS:
        return convolution_macs(output, weight, output[1])
    # The weights of a fully connected layer are folded, and it takes its input as it is.
    return matrix_macs(output, inner_dimension(taken, weight, output) if kind == "MatMul" else taken[-1])


def _kind(node: openvino.Node) -> str:
    return _info(node, "layerType")


def _input_type(node: openvino.Node) -> str:
    return _output_type(node.input_value(0).get_node())


def _output_type(node: openvino.Node) -> str:
    return _info(node, "outputPrecisions").split(",")[0]


def _info(node: openvino.Node, key: str) -> str:
    return str(node.get_rt_info()[key].astype(str))
