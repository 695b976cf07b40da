"""Which tensors of a network share their channels: the layers that write them, and those that read them.

A layer's output channel may be multiplied by a factor if the weights that read it are divided by the same
factor: the network computes the same. It knows torch.fx graphs, and no reason for a factor.
"""

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
CLIP = 6.0
"""Where ReLU6 clips."""
MARGIN = 1.25
"""How much larger values of other images may be than the largest of those that a factor is found on."""


@dataclass
class ChannelGroup:
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


def scale_channels(network: fx.GraphModule, group: ChannelGroup, factors: Tensor) -> None:
    """Multiply a group's channels by factors [c], which the layers that read them undo."""
    for name in group.writers:
        layer = network.get_submodule(name)
        layer.get_parameter("weight").mul_(along(factors, layer.get_parameter("weight"), 0))
        layer.get_parameter("bias").mul_(factors)
    for name in group.readers:
        by_group = _by_group(network.get_submodule(name))
        by_group.div_(factors.view(len(by_group), 1, by_group.shape[2], *[1] * (by_group.dim() - 3)))


def _by_group(layer: nn.Module) -> Tensor:
    """Return a layer's weights as [groups, out ÷ groups, in ÷ groups, …]."""
    weight = layer.get_parameter("weight")
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    return weight.view(groups, -1, *weight.shape[1:])


def reading_weights(network: fx.GraphModule, group: ChannelGroup) -> Tensor:
    """Return the largest absolute weight that reads each channel of a group: [c]."""
    read = [_by_group(network.get_submodule(name)).abs() for name in group.readers]
    largest = [weights.reshape(*weights.shape[:3], -1).amax(dim=(1, 3)).flatten() for weights in read]
    return torch.stack(largest).amax(dim=0)


def channel_groups(network: fx.GraphModule) -> list[ChannelGroup]:
    """Follow channels through the graph. The factors of an unknown operator's inputs and outputs stay 1."""
    names = {node: name for name, node in weighted(network).items()}
    modules = dict(network.named_modules())
    group_of: dict[fx.Node, ChannelGroup] = {}

    def join(group: ChannelGroup, other: ChannelGroup) -> ChannelGroup:
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
            group = ChannelGroup(writers=[names[node]], fixed=is_last_axis)
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
            group = ChannelGroup(fixed=True)
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


def largest_values(
    network: fx.GraphModule, batches: Sequence[Tensor], groups: Sequence[ChannelGroup]
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
