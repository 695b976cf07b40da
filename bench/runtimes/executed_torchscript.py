"""What TorchScript ran: the nodes of the module's inlined graph, after freezing and fusing.

That graph holds no shapes, so they are followed from the input through its operators; behind one whose shape
cannot be known, multiply-accumulates are unknown, and said to be.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from bench.measurements import Executed, Operator
from bench.runtimes.executed import (
    PRECISIONS,
    convolution_macs,
    matrix_macs,
    moved,
    transposed_convolution_macs,
)
from bench.runtimes.shapes_torchscript import Shape, shapes_after

_FLOAT_CONVOLUTIONS = (
    "aten::_convolution",
    "aten::conv2d",
    "aten::cudnn_convolution_relu",
    "prim::mkldnn_convolution",
    *("aten::conv1d", "aten::conv3d", "aten::_convolution_mode"),
)
_TRANSPOSED = ("aten::conv_transpose1d", "aten::conv_transpose2d", "aten::conv_transpose3d")
_INT8_CONVOLUTIONS = ("quantized::conv2d", "quantized::conv2d_relu")
_FLOAT_MATRICES = ("aten::linear", "aten::matmul", "aten::mm", "aten::bmm")
_INT8_MATRICES = ("quantized::linear", "quantized::linear_relu")
_DYNAMIC_MATRICES = ("quantized::linear_dynamic", "quantized::linear_relu_dynamic")
_MATRICES = (*_FLOAT_MATRICES, *_INT8_MATRICES, *_DYNAMIC_MATRICES, "aten::addmm")
_CONVOLUTIONS = (*_FLOAT_CONVOLUTIONS, *_INT8_CONVOLUTIONS, *_TRANSPOSED)
# Of two tensors of different shapes, the smaller one is repeated: a scale per channel, for example.
_BROADCAST = (
    *("aten::add", "aten::add_", "aten::sub", "aten::sub_", "aten::div", "aten::div_", "aten::mul"),
    *("aten::mul_", "quantized::add", "quantized::add_relu", "quantized::mul"),
    "prim::BroadcastMKLDNNTensors",
)
_KEEP_SHAPE = (
    *("aten::relu", "aten::relu_", "aten::leaky_relu", "aten::leaky_relu_", "aten::elu", "aten::gelu"),
    *("aten::hardtanh", "aten::hardtanh_", "aten::clamp", "aten::dropout", "aten::contiguous", "aten::to"),
    *("aten::to_mkldnn", "aten::to_dense", "aten::quantize_per_tensor", "aten::dequantize"),
    *("quantized::hardswish", "quantized::leaky_relu", "quantized::batch_norm2d", "quantized::sigmoid"),
    *("prim::MKLDNNHardSwish", "prim::MKLDNNHardSwish_", "prim::MKLDNNHardSigmoid"),
    *(
        "prim::MKLDNNHardSigmoid_",
        "prim::MKLDNNHardTanh",
        "prim::MKLDNNHardTanh_",
    ),
    *(
        "aten::sigmoid",
        "aten::hardswish",
        "aten::hardswish_",
        "aten::hardsigmoid",
        "aten::silu",
        "aten::silu_",
    ),
)
_IMAGE_AXES, _MATRIX_AXES = 4, 2
_IS_TRANSPOSED = 6  # which argument of _convolution it is
_MEAN_OVER_AXES = 4  # the arguments of a mean over some axes; that over all has fewer
_CONSTANTS = ("prim::Constant", "prim::ConstantMKLDNNTensor")


def executed_by(module: torch.jit.ScriptModule, input_shapes: Sequence[Shape]) -> Executed:
    """Read the inlined graph of a frozen module that takes tensors of `input_shapes`.

    Arguments behind these are optional ones, which are not given.
    """
    graph = module.inlined_graph
    _, *inputs = graph.inputs()
    shapes: dict[str, Shape | None] = {
        value.debugName(): tuple(shape) for value, shape in zip(inputs, input_shapes, strict=False)
    }
    operators = []
    for node in graph.nodes():
        if (operator := _step(node, shapes)) is not None:
            operators.append(operator)
    kinds = [node.kind() for node in graph.nodes()]
    return Executed(
        source="TorchScript's inlined graph",
        operators=tuple(operators),
        casts=kinds.count("aten::to"),
        quantise=sum(kind.startswith("aten::quantize_per") for kind in kinds),
        dequantise=kinds.count("aten::dequantize"),
    )


def _step(node: Any, shapes: dict[str, Shape | None]) -> Operator | None:
    """Note the shapes that a node gives; return its operator if it is a convolution or matrix product."""
    kind = node.kind()
    if kind in _CONSTANTS:
        return None
    inputs = list(node.inputs())
    taken = next((shapes[value.debugName()] for value in inputs if value.debugName() in shapes), None)
    if kind in _CONVOLUTIONS:
        given, macs, elements = _convolve(kind, inputs, taken, shapes)
    elif kind in _MATRICES:
        given, macs, elements = _multiply(kind, inputs, taken, shapes)
    else:
        given, macs, elements = _shape_after(kind, inputs, taken, shapes), None, None
    if given is None and kind not in (*_CONVOLUTIONS, *_MATRICES):
        for output, shape in zip(node.outputs(), shapes_after(node, shapes), strict=True):
            shapes[output.debugName()] = shape
        return None
    for output in node.outputs():
        shapes[output.debugName()] = given
    if kind not in (*_CONVOLUTIONS, *_MATRICES):
        return None
    return Operator(
        name=_name(inputs),
        operation=kind,
        precision=_precision(kind, inputs),
        macs=macs,
        elements=elements,
    )


def _shape_after(
    kind: str, inputs: Sequence[Any], taken: Shape | None, shapes: Mapping[str, Shape | None]
) -> Shape | None:
    if taken is None:
        return None
    if kind in _BROADCAST:
        given = [shapes[value.debugName()] for value in inputs[:2] if value.debugName() in shapes]
        known = [shape for shape in given if shape is not None]
        return np.broadcast_shapes(*known) if len(known) == len(given) else None
    if kind in _KEEP_SHAPE:
        return taken
    if kind == "aten::adaptive_avg_pool2d" and len(taken) == _IMAGE_AXES:
        return (*taken[:2], *inputs[1].toIValue())
    if kind == "aten::mean" and len(inputs) == _MEAN_OVER_AXES and len(taken) == _IMAGE_AXES:
        return taken[:2] if not inputs[2].toIValue() else (*taken[:2], 1, 1)
    if kind == "aten::flatten" and inputs[1].toIValue() == 1:
        return (taken[0], math.prod(taken[1:]))
    return None


_Found = tuple[Shape | None, int | None, int | None]


def _convolve(
    kind: str, inputs: Sequence[Any], taken: Shape | None, shapes: Mapping[str, Shape | None]
) -> _Found:
    """Return the shape that a convolution gives, its multiply-accumulates and its elements."""
    if kind in _TRANSPOSED or (kind == "aten::_convolution" and inputs[_IS_TRANSPOSED].toIValue()):
        return _convolve_transposed(taken, _shape_of(inputs[1], shapes))
    if kind in _INT8_CONVOLUTIONS:
        packed = inputs[1].toIValue()
        ops = torch.ops.quantized
        weight: Shape | None = tuple(ops.conv2d_unpack(packed)[0].shape)
        stride, padding, dilation = (
            ops.conv2d_stride(packed),
            ops.conv2d_padding(packed),
            ops.conv2d_dilation(packed),
        )
    else:
        weight = _shape_of(inputs[1], shapes)
        stride, padding, dilation = (inputs[index].toIValue() for index in (3, 4, 5))
    if taken is None or weight is None or len(taken) != len(weight):
        return None, None, None
    if None in (stride, padding, dilation):  # they are computed
        return None, None, None
    padding = _sizes_of_padding(padding, weight, dilation)
    sides = (
        int(size + 2 * pad - step * (side - 1) - 1) // jump + 1
        for size, pad, step, side, jump in zip(taken[2:], padding, dilation, weight[2:], stride, strict=True)
    )
    given = (taken[0], weight[0], *sides)
    return given, convolution_macs(given, weight, weight[0]), moved(taken, weight, given)


def _sizes_of_padding(padding: Any, weight: Shape, dilation: Sequence[int]) -> Sequence[float]:
    """Return how many values are added at each side of each axis, where `same` adds as many as are lost."""
    if padding == "valid":
        return [0] * len(dilation)
    if padding == "same":
        return [step * (side - 1) / 2 for step, side in zip(dilation, weight[2:], strict=True)]
    sizes: Sequence[float] = padding
    return sizes


def _convolve_transposed(taken: Shape | None, weight: Shape | None) -> _Found:
    """Return what a transposed convolution costs; the shape that it gives is not followed."""
    if taken is None or weight is None or len(taken) != len(weight):
        return None, None, None
    return None, transposed_convolution_macs(taken, weight, taken[1]), None


def _multiply(
    kind: str, inputs: Sequence[Any], taken: Shape | None, shapes: Mapping[str, Shape | None]
) -> _Found:
    """Return the shape that a matrix product gives, its multiply-accumulates and its elements."""
    if kind in (*_INT8_MATRICES, *_DYNAMIC_MATRICES):
        weight: Shape | None = tuple(torch.ops.quantized.linear_unpack(inputs[1].toIValue())[0].shape)
    else:
        weight = _shape_of(inputs[2] if kind == "aten::addmm" else inputs[1], shapes)
    if not taken or weight is None or not taken[-1]:
        return None, (None if not taken or weight is None else 0), None
    summed = taken[-1]
    is_batched = len(weight) > _MATRIX_AXES
    features = weight[-1] if is_batched else math.prod(weight) // summed
    given = (*taken[:-1], features)
    return given, matrix_macs(given, summed), moved(taken, weight, given)


def _shape_of(value: Any, shapes: Mapping[str, Shape | None]) -> Shape | None:
    """Return the shape of weights: a constant's, or that of an input or of what an operator gives."""
    constant = _shape_of_constant(value)
    return shapes.get(value.debugName()) if constant is None else constant


def _shape_of_constant(value: Any) -> Shape | None:
    node = value.node()
    if node.kind() not in _CONSTANTS or node.kindOf("value") != "t":
        return None
    return tuple(node.t("value").shape)


def _precision(kind: str, inputs: Sequence[Any]) -> str:
    if kind.startswith("quantized::"):
        return "int8"
    constants = [value.node() for value in inputs if value.node().kind() in _CONSTANTS]
    tensors = [
        node.t("value") for node in constants if node.hasAttribute("value") and node.kindOf("value") == "t"
    ]
    name = str(tensors[0].dtype).removeprefix("torch.") if tensors else "unknown"
    return PRECISIONS.get(name, name)


def _name(inputs: Sequence[Any]) -> str:
    """Return the name of the operator's weights, which is the module's."""
    return str(inputs[1].debugName()).removesuffix("._packed_params").removesuffix("._packed_params")
