"""Writes an int8 ONNX graph so that onnxruntime runs each operator where it is fast, and in its precision.

It knows onnxruntime's optimiser and kernels. No function here changes what a graph computes, except that
layers in fp32 read values before they are rounded where they can.
"""

import math
from collections.abc import Collection

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, helper, numpy_helper

from bench.bundle.signature import Array

_CLIPPING = ("Clip", "Relu")
_RESHAPING = ("Flatten", "Reshape", "Squeeze")
_WEIGHTED = ("Conv", "Gemm", "MatMul")
# The optimiser that `protect_layers_in_fp32` is about leaves matrix products alone.
_PROTECTED = ("Conv", "Gemm")
# onnxruntime's fast int8 convolutions take whole groups of input channels, and give whole groups of outputs.
_GROUP_TAKEN, _GROUP_GIVEN = 4, 16
# More than one channel of zeros pays only for small kernels: with one channel, 7x7 took a third longer.
_MOST_PIXELS = 5 * 5


def pool_globally(model: ModelProto, means: Collection[str]) -> None:
    """Write these means of images as GlobalAveragePool, the only form that onnxruntime has in int8.

    `means`: the names of their nodes.
    """
    for node in list(model.graph.node):
        if node.name not in means:
            continue
        keeps_axes = _number(node, "keepdims", 1)
        (source, *axes), (output,) = node.input, node.output
        pooled = output if keeps_axes else f"{output}_with_axes"
        nodes = [helper.make_node("GlobalAveragePool", [source], [pooled], node.name)]
        if not keeps_axes:
            nodes.append(helper.make_node("Flatten", [pooled], [output], f"{node.name}_flatten"))
        _replace(model, node, nodes)
        for stored in list(model.graph.initializer):
            if stored.name in axes and not _is_read(model, stored.name):
                model.graph.initializer.remove(stored)


def round_pools_at_once(model: ModelProto) -> None:
    """Round what a GlobalAveragePool of values in int8 gives where it is given, and not only once reshaped.

    Otherwise onnxruntime computes the pool in fp32. What is reshaped lies on the same grid, and stays.
    """
    producers = _producers(model)
    for pool in list(model.graph.node):
        if pool.op_type != "GlobalAveragePool" or not _dequantises(producers.get(pool.input[0])):
            continue
        first = reader = _only_reader(model, pool)
        while reader is not None and reader.op_type in _RESHAPING:
            reader = _only_reader(model, reader)
        if first is None or reader is None or reader.op_type != "QuantizeLinear" or first is reader:
            continue
        names = [f"{pool.name}_rounded", f"{pool.name}_dequantised"]
        pair = [
            helper.make_node("QuantizeLinear", [pool.output[0], *reader.input[1:]], names[:1], names[0]),
            helper.make_node("DequantizeLinear", [names[0], *reader.input[1:]], names[1:], names[1]),
        ]
        first.input[0] = names[1]
        _insert_before(model, first, *pair)


def protect_layers_in_fp32(model: ModelProto, modules: Collection[str]) -> None:
    """Have each convolution that is kept in fp32 read values in fp32.

    What another operator in fp32 gave is read before it is rounded. Other values are dequantised with a scale
    per channel: onnxruntime's optimiser WeightBiasQuantization quantises the weights of a float convolution
    again, per tensor, if its input is dequantised with a single scale. Repeating that scale for each channel
    has the same meaning, and no runtime takes the convolution for an operator in int8.
    """
    producers, values = _producers(model), _values(model)
    for node in list(model.graph.node):
        if node.op_type not in _PROTECTED or node.input[1].removesuffix(".weight") not in modules:
            continue
        dequantise = producers.get(node.input[0])
        if dequantise is None or dequantise.op_type != "DequantizeLinear":
            continue
        quantise = producers.get(dequantise.input[0])
        if quantise is not None and _is_in_float(quantise.input[0], producers):
            node.input[0] = quantise.input[0]
            continue
        channels = values[node.input[1]].shape[1]
        parameters = _repeated(model, dequantise, channels * _number(node, "group", 1), node.name)
        output = f"{node.name}_dequantised"
        own = helper.make_node(
            "DequantizeLinear",
            [dequantise.input[0], *parameters],
            [output],
            f"{node.name}_dequantise",
            axis=1,
        )
        node.input[0] = output
        _insert_before(model, node, own)


def keep_pools_in_fp32(model: ModelProto) -> None:
    """Round what a MaxPool of values in fp32 gives with a scale per channel, which is the same one.

    onnxruntime's optimiser QDQPropagation would round before such a pool if it could. But the values of a
    layer in fp32 have their channels first, and on those its MaxPool in int8 takes 50 times as long as in
    fp32: a fifth of the inference of a ResNet-18 whose first layer is kept in fp32.
    """
    producers = _producers(model)
    pools = [node for node in model.graph.node if node.op_type == "MaxPool"]
    if not any(_is_in_float(node.input[0], producers) for node in pools):
        return
    shapes = _shapes(model)
    for pool in pools:
        if not _is_in_float(pool.input[0], producers):
            continue
        for node in list(model.graph.node):
            if node.op_type == "QuantizeLinear" and node.input[0] == pool.output[0]:
                node.input[1:] = _repeated(model, node, shapes[pool.output[0]][1], node.name)


def widen_few_channels(model: ModelProto) -> None:
    """Give a convolution in int8 of an image a fourth channel of zeros, and weights of zero for it.

    onnxruntime's fast kernels take groups of four channels. A first convolution of three took twice the time,
    a twelfth of an inference of MobileNetV2.
    """
    producers, values = _producers(model), _values(model)
    for node in list(model.graph.node):
        if node.op_type != "Conv" or _number(node, "group", 1) != 1:
            continue
        taken, weights = (producers.get(name) for name in node.input[:2])
        if not (_dequantises(taken) and _dequantises(weights)):
            continue
        assert taken is not None
        assert weights is not None
        levels = values.get(weights.input[0])
        if levels is None or not _has_few_channels(levels) or values[taken.input[1]].ndim:
            continue
        missing = _GROUP_TAKEN - levels.shape[1]
        _replace_value(model, weights.input[0], np.pad(levels, [(0, 0), (0, missing), (0, 0), (0, 0)]))
        padded, widths = f"{node.name}_widened", f"{node.name}_widths"
        model.graph.initializer.append(
            numpy_helper.from_array(np.array([0, 0, 0, 0, 0, missing, 0, 0], np.int64), widths)
        )
        source, scale, zero = taken.input
        pad = helper.make_node("Pad", [source, widths, zero], [padded], f"{node.name}_widen")
        dequantised = f"{padded}_dequantised"
        own = helper.make_node(
            "DequantizeLinear", [padded, scale, zero], [dequantised], f"{node.name}_widened_dequantise"
        )
        node.input[0] = dequantised
        _insert_before(model, node, pad, own)
        if not _is_read(model, taken.output[0]):
            model.graph.node.remove(taken)


def _has_few_channels(levels: Array) -> bool:
    """Tell whether weights [out, in, height, width] are those of a convolution that widening makes faster."""
    if levels.ndim != len("oihw"):
        return False
    given, taken, *kernel = levels.shape
    pixels = math.prod(kernel)
    most = _MOST_PIXELS if taken < _GROUP_TAKEN - 1 else pixels
    return taken < _GROUP_TAKEN and given % _GROUP_GIVEN == 0 and 1 < pixels <= most


def _dequantises(node: NodeProto | None) -> bool:
    return node is not None and node.op_type == "DequantizeLinear"


def _is_in_float(name: str, producers: dict[str, NodeProto]) -> bool:
    """Tell whether a value surely comes from an operator in fp32, before rounding."""
    node = producers.get(name)
    if node is None:
        return True
    if node.op_type in (*_CLIPPING, "MaxPool"):
        return _is_in_float(node.input[0], producers)
    if node.op_type in _WEIGHTED:
        return not _dequantises(producers.get(node.input[1]))
    return not any(_dequantises(each) for each in (node, *map(producers.get, node.input)))


def _number(node: NodeProto, name: str, default: int) -> int:
    """Return an attribute."""
    return next((attribute.i for attribute in node.attribute if attribute.name == name), default)


def _producers(model: ModelProto) -> dict[str, NodeProto]:
    return {output: node for node in model.graph.node for output in node.output}


def _values(model: ModelProto) -> dict[str, Array]:
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    graph = onnx.shape_inference.infer_shapes(model).graph
    return {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in graph.value_info
    }


def _only_reader(model: ModelProto, node: NodeProto) -> NodeProto | None:
    """Return the node that reads what a node gives; None if several do, or what reads the outputs."""
    readers = [each for each in model.graph.node if node.output[0] in each.input]
    is_output = node.output[0] in [value.name for value in model.graph.output]
    return readers[0] if len(readers) == 1 and not is_output else None


def _is_read(model: ModelProto, name: str) -> bool:
    return any(name in node.input for node in model.graph.node)


def _repeated(model: ModelProto, node: NodeProto, channels: int, prefix: str) -> list[str]:
    """Store the scale and zero point of a rounding once for each channel, and return their names."""
    values = _values(model)
    names = [f"{prefix}_scale", f"{prefix}_zero"]
    for name, single in zip(names, node.input[1:], strict=True):
        model.graph.initializer.append(numpy_helper.from_array(np.full(channels, values[single]), name))
    return names


def _replace_value(model: ModelProto, name: str, value: Array) -> None:
    stored = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    stored.CopyFrom(numpy_helper.from_array(value, name))


def _insert_before(model: ModelProto, node: NodeProto, *nodes: NodeProto) -> None:
    place = list(model.graph.node).index(node)
    for each in reversed(nodes):
        model.graph.node.insert(place, each)


def _replace(model: ModelProto, node: NodeProto, nodes: list[NodeProto]) -> None:
    _insert_before(model, node, *nodes)
    model.graph.node.remove(node)
