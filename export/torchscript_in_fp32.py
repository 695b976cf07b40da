"""Which operators of an int8 TorchScript file stay in fp32, though torch would quantise them.

Torch gives some operators the range of their inputs: the mean of an image gets that of its pixels, and all
parts of a dense block that of the largest. Moving values, as a shuffle does, torch rounds them again. These
operators are hardly faster in int8, so they stay in fp32, and each layer that reads them has its own range.
"""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.ao.quantization import QConfigMapping
from torch.fx.node import Argument

from export.quantisation.simulation import is_sum, output_of, sums_in_int8, weighted

_aten = torch.ops.aten
# Operators that compute the same, and that torch never quantises.
_UNQUANTISED: dict[object, Callable[..., Tensor]] = {
    torch.matmul: _aten.matmul.default,
    F.avg_pool2d: _aten.avg_pool2d.default,
    torch.mean: _aten.mean.dim,
    "mean": _aten.mean.dim,
}
_MOVES = (
    *(torch.flatten, torch.reshape, torch.permute, torch.transpose, torch.chunk, torch.split),
    *("flatten", "reshape", "view", "permute", "transpose", "chunk", "split", "contiguous"),
)
_KEEP_VALUES = (nn.MaxPool2d, nn.Dropout)


def with_operators_in_fp32(network: fx.GraphModule) -> fx.GraphModule:
    """Return a copy in which operators that stay in fp32 are such that torch never quantises them: products
    of two tensors, means, and some sums and concatenations."""
    network = copy.deepcopy(network)
    in_int8, layers = sums_in_int8(network), set(weighted(network).values())
    for node in network.graph.nodes:
        module = network.get_submodule(str(node.target)) if node.op == "call_module" else None
        if is_sum(node) and node not in in_int8:
            _call(node, _aten.add.Tensor, node.args)
        elif node.target is torch.cat and not _is_read_in_int8(network, node, layers):
            _call(node, _aten.cat.default, node.args)
        elif node.target is F.adaptive_avg_pool2d:
            _call(node, _aten.adaptive_avg_pool2d.default, (node.args[0], _pair(node.args[1])))
        elif isinstance(module, nn.AdaptiveAvgPool2d):
            _call(node, _aten.adaptive_avg_pool2d.default, (node.args[0], _pair(module.output_size)))
        elif node.target in _UNQUANTISED and len(node.args) > 1:
            _call(node, _UNQUANTISED[node.target], node.args)
    network.recompile()
    return network


def _call(node: fx.Node, function: Callable[..., Tensor], args: tuple[Argument, ...]) -> None:
    node.op, node.target, node.args = "call_function", function, args


def _pair(size: object) -> list[int]:
    """Return the output size of an adaptive pooling for both dimensions."""
    first, last = size if isinstance(size, tuple | list) else (size, size)
    assert isinstance(first, int)  # None, the size of the input, is of no known network
    assert isinstance(last, int)
    return [first, last]


def _is_read_in_int8(network: fx.GraphModule, node: fx.Node, layers: set[fx.Node]) -> bool:
    """Tell whether only layers read a node: then one rounding to one range serves them all."""
    return all(
        reader in layers or (_keeps_values(network, reader) and _is_read_in_int8(network, reader, layers))
        for reader in node.users
    )


def _keeps_values(network: fx.GraphModule, node: fx.Node) -> bool:
    return node.op == "call_module" and isinstance(network.get_submodule(str(node.target)), _KEEP_VALUES)


def keep_in_fp32(mapping: QConfigMapping, network: fx.GraphModule) -> None:
    """Exclude moves of values, and each ReLU that torch cannot fuse with what it follows."""
    for kind in _MOVES:
        mapping.set_object_type(kind, None)
    layers = weighted(network)
    fused = {*(output_of(network, node) for node in layers.values())}
    for node in network.graph.nodes:
        if node.op != "call_module" or not isinstance(network.get_submodule(str(node.target)), nn.ReLU):
            continue
        if node not in fused and not is_sum(node.all_input_nodes[0]):
            mapping.set_module_name(str(node.target), None)
