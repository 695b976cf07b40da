"""Which operators of ONNX torch has as well, for a batch of images where the graph takes one.

An operator is written in torch only where it treats each image alone. It knows one operator at a time.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from onnx import NodeProto
from torch import Tensor, fx, nn

from bench.bundle.signature import Array
from export.sources.onnx_layers import attributes_of

_IMAGE_AXES = 4
_SPACE = (2, 3)
_PAIR = 2
_SIX = 6.0


@dataclass(frozen=True)
class Operands:
    """An operator, and what it is given in one inference."""

    node: NodeProto
    """The operator."""
    constants: Mapping[int, Array]
    """Its inputs that do not depend on the image, by their number."""
    shapes: tuple[tuple[int, ...], ...]
    """The shapes of those that do."""
    output: tuple[int, ...]
    """The shape of its output."""

    @property
    def attributes(self) -> dict[str, Any]:
        """Its attributes by name."""
        return attributes_of(self.node)

    @property
    def keeps_images(self) -> bool:
        """Whether the first axis of its output is that of its first input."""
        shape = self.shapes[0]
        return bool(shape and self.output) and shape[0] == self.output[0]


@dataclass(frozen=True)
class Call:
    """A function of torch, with what it is given after the tensors."""

    function: Callable[..., Tensor]
    """The function."""
    settings: tuple[Any, ...] = ()
    """Its further arguments."""
    is_list: bool = False
    """Whether it takes its tensors as one list."""

    def arguments(self, tensors: Sequence[fx.Node]) -> tuple[Any, ...]:
        """Return all arguments of the call."""
        return (list(tensors), *self.settings) if self.is_list else (*tensors, *self.settings)


InTorch = nn.Module | Call
_Writer = Callable[[Operands], InTorch | None]


class WithConstant(nn.Module):
    """An operator of arithmetic whose other operand is a constant."""

    constant: Tensor

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor], constant: Array, is_first: bool) -> None:
        """`is_first`: the constant is the first operand."""
        super().__init__()
        self._function, self._is_first = function, is_first
        self.register_buffer("constant", torch.from_numpy(np.array(constant)), persistent=False)

    def forward(self, value: Tensor) -> Tensor:
        """Compute it for a batch."""
        pair = (self.constant, value) if self._is_first else (value, self.constant)
        return self._function(*pair)


def in_torch(operands: Operands) -> InTorch | None:
    """Return an operator in torch; None where torch has none, or none that takes several images."""
    if operands.node.domain not in ("", "ai.onnx"):
        return None
    writer = _WRITERS.get(operands.node.op_type)
    return None if writer is None else writer(operands)


def _clip(operands: Operands) -> InTorch | None:
    low, high = operands.constants.get(1), operands.constants.get(2)
    if low is None or high is None:
        return None
    if float(low) == 0 and float(high) == _SIX:
        return nn.ReLU6()
    return nn.Hardtanh(float(low), float(high))


def _hard_sigmoid(operands: Operands) -> InTorch | None:
    alpha, beta = operands.attributes.get("alpha", 0.2), operands.attributes.get("beta", 0.5)
    return Call(F.hardsigmoid) if (round(alpha * _SIX, 5), round(beta, 5)) == (1, 0.5) else None


def _arithmetic(function: Callable[[Any, Any], Any]) -> _Writer:
    def written(operands: Operands) -> InTorch | None:
        first, *others = operands.shapes
        if not operands.keeps_images:
            return None
        if others:
            same = len(others[0]) == len(first) and others[0][0] == first[0]
            return Call(function) if same else None
        ((index, constant),) = operands.constants.items()
        is_for_all = constant.ndim < len(first) or (constant.ndim == len(first) and constant.shape[0] == 1)
        return WithConstant(function, constant, is_first=index == 0) if is_for_all else None

    return written


def _concatenation(operands: Operands) -> InTorch | None:
    axis = operands.attributes["axis"] % len(operands.output)
    is_complete = not operands.constants and len({shape[0] for shape in operands.shapes}) == 1
    return Call(torch.cat, (axis,), is_list=True) if axis and is_complete else None


def _mean(operands: Operands) -> InTorch | None:
    """Return the mean over space; a mean over other axes is left to onnxruntime."""
    shape = operands.shapes[0]
    axes = operands.attributes.get("axes")
    axes = operands.constants[1].tolist() if axes is None and 1 in operands.constants else axes
    if len(shape) != _IMAGE_AXES or axes is None or {axis % _IMAGE_AXES for axis in axes} != set(_SPACE):
        return None
    if operands.attributes.get("keepdims", 1):
        return _global_average(operands)
    return Call(torch.mean, (list(_SPACE),))


def _global_average(operands: Operands) -> InTorch | None:
    is_image = len(operands.shapes[0]) == _IMAGE_AXES
    return Call(F.adaptive_avg_pool2d, ((1, 1),)) if is_image else None


def _reshape(operands: Operands) -> InTorch | None:
    shape, output = operands.shapes[0], operands.output
    if not operands.keeps_images or 0 in shape or len(operands.shapes) > 1:
        return None
    if len(output) == _PAIR and prod(shape[2:]) == 1:
        return Call(torch.flatten, (1,))
    return Call(torch.reshape, ((-1, *output[1:]),))


def _transpose(operands: Operands) -> InTorch | None:
    order = operands.attributes.get("perm")
    return Call(torch.permute, (tuple(order),)) if order and order[0] == 0 else None


def _softmax(operands: Operands) -> InTorch | None:
    axis = operands.attributes.get("axis", -1) % len(operands.output)
    return Call(torch.softmax, (axis,)) if axis else None


def _pooling(operands: Operands) -> tuple[Any, Any, Any] | None:
    """Return kernel, stride and padding; None where torch pads or counts in another way."""
    given = operands.attributes
    kernel = list(given["kernel_shape"])
    pads = list(given.get("pads", (0,) * 2 * len(kernel)))
    is_plain = (
        len(operands.shapes[0]) == _IMAGE_AXES
        and given.get("auto_pad", b"NOTSET") == b"NOTSET"
        and not given.get("ceil_mode", 0)
        and all(size == 1 for size in given.get("dilations", ()))
        and pads[:_PAIR] == pads[_PAIR:]
        and all(pad <= size // 2 for pad, size in zip(pads, kernel, strict=False))
    )
    return (kernel, list(given.get("strides", (1, 1))), pads[:_PAIR]) if is_plain else None


def _maximum_pool(operands: Operands) -> InTorch | None:
    settings = _pooling(operands)
    return None if settings is None else Call(torch.ops.aten.max_pool2d.default, settings)


def _average_pool(operands: Operands) -> InTorch | None:
    settings = _pooling(operands)
    counts = bool(operands.attributes.get("count_include_pad", 0))
    return None if settings is None else Call(torch.ops.aten.avg_pool2d.default, (*settings, False, counts))


def _batch_norm(operands: Operands) -> InTorch | None:
    parameters = [operands.constants.get(index) for index in range(1, 5)]
    is_image = len(operands.shapes[0]) == _IMAGE_AXES
    if not is_image or any(value is None for value in parameters) or operands.attributes.get("training_mode"):
        return None
    weight, bias, mean, variance = (torch.from_numpy(np.array(value)) for value in parameters)
    norm = nn.BatchNorm2d(len(weight), eps=operands.attributes.get("epsilon", 1e-5)).eval()
    norm.load_state_dict(
        {"weight": weight, "bias": bias, "running_mean": mean, "running_var": variance}, strict=False
    )
    return norm


def _leaky(operands: Operands) -> InTorch:
    return nn.LeakyReLU(operands.attributes.get("alpha", 0.01))


_WRITERS: Mapping[str, _Writer] = {
    "Relu": lambda _: nn.ReLU(),
    "Clip": _clip,
    "HardSwish": lambda _: Call(F.hardswish),
    "HardSigmoid": _hard_sigmoid,
    "Sigmoid": lambda _: Call(torch.sigmoid),
    "Tanh": lambda _: Call(torch.tanh),
    "LeakyRelu": _leaky,
    "Add": _arithmetic(operator.add),
    "Sub": _arithmetic(operator.sub),
    "Mul": _arithmetic(operator.mul),
    "Div": _arithmetic(operator.truediv),
    "Concat": _concatenation,
    "GlobalAveragePool": _global_average,
    "ReduceMean": _mean,
    "Reshape": _reshape,
    "Flatten": _reshape,
    "Squeeze": _reshape,
    "Unsqueeze": _reshape,
    "Transpose": _transpose,
    "Softmax": _softmax,
    "MaxPool": _maximum_pool,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
}
