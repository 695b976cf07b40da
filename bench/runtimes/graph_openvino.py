"""An OpenVINO model's own graph: operators, multiply-accumulates by their shapes, weights. Nothing runs."""

import math
from collections import Counter
from collections.abc import Sequence

import openvino

from bench.bundle.model_graph import ModelGraph, operator_counts
from bench.bundle.variants import Precision
from bench.runtimes.executed import convolution_macs, matrix_macs

_NO_OPERATORS = ("Parameter", "Result", "Constant")
# How many axes of the weights stand before those that one element of the output sums over.
_CONVOLUTIONS = {"Convolution": 1, "GroupConvolution": 2}
_TRANSPOSED = {"ConvolutionBackpropData": 1, "GroupConvolutionBackpropData": 2}
_MATRIX = "MatMul"
_ATTENTION = "ScaledDotProductAttention"
_UNCOUNTED = frozenset(
    {"Einsum", "LSTMSequence", "GRUSequence", "RNNSequence", "LSTMCell", "GRUCell", "RNNCell"}
)
_WEIGHTS = ("f", "bf", "i8", "u8", "i4", "u4", "nf4")
_INTEGERS = ("i8", "u8", "i4", "u4")
_DEQUANTISE = ("Multiply", "Subtract")
_SETTINGS = ("FakeQuantize", "Clamp", "Pad", "Interpolate")

Shape = Sequence[int]


def graph_of(model: openvino.Model, precision: Precision, with_macs: bool) -> ModelGraph:
    """Return a model's graph. `with_macs`: its shapes are fixed, so multiply-accumulates can be counted."""
    nodes = [node for node in model.get_ops() if node.get_type_name() not in _NO_OPERATORS]
    macs: Counter[str] = Counter()
    unknown = set(_UNCOUNTED)
    for node in nodes if with_macs else ():
        if (count := macs_of(node)) is None:
            unknown.add(node.get_type_name())
        else:
            macs[node.get_type_name()] += count
    known = {kind: count for kind, count in macs.items() if kind not in unknown}
    return ModelGraph(
        producer=_producer(model),
        ir_version=None,
        opsets=(),
        operators=operator_counts(
            Counter(node.get_type_name() for node in nodes), known if with_macs else None, frozenset(unknown)
        ),
        parameters=sum(map(_weights, model.get_ops())),
        precision=precision,
    )


def _producer(model: openvino.Model) -> str | None:
    if not model.has_rt_info("Runtime_version"):
        return None
    return f"OpenVINO {str(model.get_rt_info('Runtime_version').astype(str)).partition('-')[0]}"


def macs_of(node: openvino.Node) -> int | None:
    """Return an operator's multiply-accumulates; 0 if it multiplies no matrix, None if a shape is open."""
    kind = node.get_type_name()
    if kind not in (*_CONVOLUTIONS, *_TRANSPOSED, _MATRIX, _ATTENTION):
        return 0
    ports = [*node.inputs(), *node.outputs()]
    if any(port.get_partial_shape().is_dynamic for port in ports):
        return None
    inputs = [list(port.get_shape()) for port in node.inputs()]
    output = list(node.output(0).get_shape())
    if kind == _MATRIX:
        is_transposed = bool(node.get_attributes()["transpose_a"]) and len(inputs[0]) > 1
        return matrix_macs(output, inputs[0][-2 if is_transposed else -1])
    if kind == _ATTENTION:
        queries, keys, values = inputs[:3]
        return matrix_macs(queries, keys[-2]) + matrix_macs([*queries[:-1], values[-1]], keys[-2])
    channels = math.prod(inputs[1][: {**_CONVOLUTIONS, **_TRANSPOSED}[kind]])
    # A transposed convolution multiplies each element of its input; its weights begin with input channels.
    return convolution_macs(inputs[0] if kind in _TRANSPOSED else output, inputs[1], channels)


def _weights(node: openvino.Node) -> int:
    """Return how many weights a constant holds; sizes, limits, scales and single numbers are none."""
    if node.get_type_name() != "Constant" or not node.get_output_shape(0):
        return 0
    takers = [port.get_node() for port in node.output(0).get_target_inputs()]
    is_number = node.get_element_type().get_type_name().startswith(_WEIGHTS)
    is_weight = is_number and not all(map(_takes_settings, takers))
    return math.prod(node.get_output_shape(0)) if is_weight else 0


def _takes_settings(node: openvino.Node) -> bool:
    """Whether an operator's constants are limits, or the scale and zero point of 8-bit weights."""
    if node.get_type_name() in _SETTINGS:
        return True
    sources = [port.get_source_output().get_node() for port in node.inputs()]
    return node.get_type_name() in _DEQUANTISE and any(map(_is_of_integers, sources))


def _is_of_integers(node: openvino.Node) -> bool:
    """Whether a node makes floats of 8-bit integers, perhaps with a zero point."""
    if node.get_type_name() == "Subtract":
        node = node.input(0).get_source_output().get_node()
    return (
        node.get_type_name() == "Convert"
        and node.get_input_element_type(0).get_type_name() in _INTEGERS
        and node.input(0).get_source_output().get_node().get_type_name() == "Constant"
    )
