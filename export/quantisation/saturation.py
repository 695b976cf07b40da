"""Which values of a tensor the functions that read it distinguish: int8 needs no levels for the others.

Half of what a convolution gives to hard-swish may lie below -3, where hard-swish is 0. A range that ends at
-3 has finer levels, and the network computes the same. It knows torch.fx graphs and no format.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

Bounds = tuple[float, float]
"""The smallest and the largest value that matter."""

# Beyond these, hard-swish, hard-sigmoid, ReLU and ReLU6 are constant. The others are so but for less than
# what 8 bits distinguish of values up to 1.
_HARD_SWISH, _HARD_SIGMOID = (-3.0, math.inf), (-3.0, 3.0)
_RELU, _RELU6 = (0.0, math.inf), (0.0, 6.0)
_SILU, _SIGMOID, _GELU = (-8.0, math.inf), (-8.0, 8.0), (-4.0, math.inf)

_MODULES: dict[type[nn.Module], Bounds] = {
    nn.Hardswish: _HARD_SWISH,
    nn.Hardsigmoid: _HARD_SIGMOID,
    nn.SiLU: _SILU,
    nn.Sigmoid: _SIGMOID,
    nn.GELU: _GELU,
    nn.ReLU: _RELU,
    nn.ReLU6: _RELU6,
}
_FUNCTIONS: dict[Callable[..., Tensor], Bounds] = {
    F.hardswish: _HARD_SWISH,
    F.hardsigmoid: _HARD_SIGMOID,
    F.silu: _SILU,
    F.sigmoid: _SIGMOID,
    torch.sigmoid: _SIGMOID,
    F.gelu: _GELU,
    torch.ops.aten.gelu.default: _GELU,
    F.relu: _RELU,
    torch.relu: _RELU,
    F.relu6: _RELU6,
}
_ALL = (-math.inf, math.inf)


def distinguished(network: fx.GraphModule, node: fx.Node) -> Bounds:
    """Return the bounds beyond which no function that reads a node distinguishes its values."""
    passed = [_passed(network, reader) for reader in node.users]
    if not passed:
        return _ALL
    return min(low for low, _ in passed), max(high for _, high in passed)


def _passed(network: fx.GraphModule, reader: fx.Node) -> Bounds:
    if reader.op == "call_module":
        return _MODULES.get(type(network.get_submodule(str(reader.target))), _ALL)
    if reader.op == "call_function" and not isinstance(reader.target, str):
        return _FUNCTIONS.get(reader.target, _ALL)
    return _ALL
