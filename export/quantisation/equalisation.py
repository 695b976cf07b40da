"""Cross-layer equalisation: enlarges the small channels of a tensor, since int8 gives all channels one range.

A layer's output channel is multiplied by a factor, and the weights that read it are divided by the same
factor, so that the network computes the same. It follows Nagel et al. 2019 (arXiv 1906.04721, section 4.1)
with two differences. Factors come from activations, since weights have a range for each channel anyway. And
ReLU6 stays: a channel grows only so far that its largest value on the images, and a quarter more, is not
clipped.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, fx, nn

from export.quantisation.simulation import Stepwise, along, is_sum, weighted

_POOLS = (
    nn.functional.adaptive_avg_pool2d,
    torch.ops.aten.max_pool2d.default,
    torch.ops.aten.avg_pool2d.default,
)
_CLIP = 6.0
_MARGIN = 1.25
_LARGEST_FACTOR = 16.0
_EXPONENT = 0.5


@dataclass
class _Group:
    """Tensors whose channels must have the same factors."""

    nodes: list[fx.Node] = field(default_factory=list)
    """The graph nodes of these tensors."""
    writers: list[str] = field(default_factory=list)
    """The layers that write them."""
    readers: list[str] = field(default_factory=list)
    """The layers that read them."""
    clipped: bool = False
    """Whether ReLU6 clips them."""
    fixed: bool = False
    """Whether their factors must stay 1."""


@torch.inference_mode()
def equalise(network: fx.GraphModule, batches: Sequence[Tensor]) -> fx.GraphModule:
    """Return a copy whose tensors have channels of similar ranges on `batches`, float32 [n, 3, h, w] each."""
    equal = copy.deepcopy(network)
    groups = _groups(network)
    largest = _largest_values(network, batches, groups)
    for number, group in enumerate(groups):
        if group.fixed or number not in largest:
            continue
        factors = _factors(largest[number], group.clipped)
        for name in group.writers:
            layer = equal.get_submodule(name)
            layer.get_parameter("weight").mul_(along(factors, layer.get_parameter("weight"), 0))
            layer.get_parameter("bias").mul_(factors)
        for name in group.readers:
            _divide_inputs(equal.get_submodule(name), factors)
    return equal


def _divide_inputs(layer: nn.Module, factors: Tensor) -> None:
    """Divide the weights that read each input channel by its factor."""
    weight = layer.get_parameter("weight")
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    by_group = weight.view(groups, -1, *weight.shape[1:])  # [groups, out ÷ groups, in ÷ groups, …]
    by_group.div_(factors.view(groups, 1, weight.shape[1], *[1] * (weight.dim() - 2)))


def _factors(largest: Tensor, clipped: bool) -> Tensor:
    """Return the factor of each channel, from its largest absolute value: [c]."""
    most = min(float(largest.max()), _CLIP / _MARGIN if clipped else math.inf)
    factors = torch.where(largest > 0, most / largest, 1.0)
    return factors.clamp(1.0, _LARGEST_FACTOR) ** _EXPONENT


def _groups(network: fx.GraphModule) -> list[_Group]:
    """Follow channels through the graph. The factors of an unknown operator's inputs and outputs stay 1."""
    names = {node: name for name, node in weighted(network).items()}
    modules = dict(network.named_modules())
    group_of: dict[fx.Node, _Group] = {}

    def join(group: _Group, other: _Group) -> _Group:
        if group is other:
            return group
        for node in other.nodes:
            group_of[node] = group
        group.nodes += other.nodes
        group.writers += other.writers
        group.readers += other.readers
        group.clipped |= other.clipped
        group.fixed |= other.fixed
        return group

    for node in network.graph.nodes:
        inputs = [group_of[source] for source in node.all_input_nodes]
        module = modules.get(str(node.target)) if node.op == "call_module" else None
        if node in names:
            inputs[0].readers.append(names[node])
            # Of a linear layer that runs on every pixel or token, the channels are the last axis.
            is_last_axis = isinstance(modules[names[node]], nn.Linear) and len(_shape(node, 2)) != 2
            inputs[0].fixed |= is_last_axis
            group = _Group(writers=[names[node]], fixed=is_last_axis)
        elif is_sum(node):
            group = inputs[0]
            for other in inputs[1:]:
                group = join(group, other)
        elif isinstance(module, nn.ReLU6):
            group = inputs[0]
            group.clipped = True
        elif isinstance(module, nn.ReLU | nn.Dropout) or _keeps_channels(node):
            group = inputs[0]
        else:
            group = _Group(fixed=True)
            for other in inputs:
                other.fixed = True
        group.nodes.append(node)
        group_of[node] = group
    return list({id(group): group for group in group_of.values()}.values())


def _keeps_channels(node: fx.Node) -> bool:
    """Tell whether a node pools over space, or flattens a tensor without spatial dimensions."""
    if node.target is torch.flatten:
        return math.prod(_shape(node.all_input_nodes[0], 2)[2:]) == 1
    if node.target is torch.mean:
        return list(node.args[1:2]) in ([[2, 3]], [[-1, -2]], [[-2, -1]])
    return node.target in _POOLS


def _shape(node: fx.Node, axes: int) -> tuple[int, ...]:
    """Return the shape of a node's value; where the graph states none, one of so many axes."""
    shape: tuple[int, ...] = node.meta.get("shape", (1,) * axes)
    return shape


def _largest_values(
    network: fx.GraphModule, batches: Sequence[Tensor], groups: Sequence[_Group]
) -> dict[int, Tensor]:
    """Return for each group the largest absolute value of each channel after its activation: [c]."""
    number_of = {node: number for number, group in enumerate(groups) for node in group.nodes}
    layers = set(weighted(network).values())
    largest: dict[int, Tensor] = {}
    for batch in batches:
        for node, value in Stepwise(network).walk(batch):
            number = number_of[node]
            group = groups[number]
            is_before_activation = group.clipped and node in layers
            if not group.fixed and not is_before_activation:
                peak = value.abs().amax(dim=[0, *range(2, value.dim())])
                largest[number] = torch.maximum(largest[number], peak) if number in largest else peak
    return largest
