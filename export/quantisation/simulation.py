"""Simulates int8 in float arithmetic: which tensors of a network are quantised, and how their values change.

It knows torch.fx graphs and the rules that onnxruntime, OpenVINO and torch share: weights are quantised per
output channel and symmetrically, activations per tensor and unsigned. It knows no format, and no images.
"""

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from export.quantisation.saturation import Bounds, distinguished
from export.quantisation.sums import Kind, Step, sums_in_float

_ACTIVATION_LEVELS = 256
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.Hardtanh)
_SUMS = (operator.add, torch.add)


@dataclass(frozen=True)
class Range:
    """The smallest and the largest value of a tensor."""

    low: float
    high: float

    def joined(self, other: "Range") -> "Range":
        """Return the smallest range that includes both."""
        return Range(min(self.low, other.low), max(self.high, other.high))

    def within(self, bounds: Bounds) -> "Range":
        """Return the part of it that lies within bounds; where none does, the nearer bound."""
        smallest, largest = bounds
        return Range(min(max(self.low, smallest), largest), max(min(self.high, largest), smallest))

    def on_grid(self) -> "Range":
        """Return the range of its 256 levels, of which zero is one; a range of zero alone stays."""
        low, high = min(self.low, 0.0), max(self.high, 0.0)
        if high == low:
            return Range(low, high)
        scale = (high - low) / (_ACTIVATION_LEVELS - 1)
        zero = round(-low / scale)
        return Range(-zero * scale, (_ACTIVATION_LEVELS - 1 - zero) * scale)


def range_of(value: Tensor) -> Range:
    """Return a tensor's smallest and largest value."""
    low, high = torch.aminmax(value)
    return Range(float(low), float(high))


def fake_quantise(value: Tensor, range_: Range) -> Tensor:
    """Return values rounded to the 256 levels of a range, which is widened to include zero."""
    low, high = min(range_.low, 0.0), max(range_.high, 0.0)
    if high == low:
        return value
    scale = (high - low) / (_ACTIVATION_LEVELS - 1)
    zero = round(-low / scale)
    return torch.fake_quantize_per_tensor_affine(value, scale, zero, 0, _ACTIVATION_LEVELS - 1)


def weighted(network: fx.GraphModule) -> dict[str, fx.Node]:
    """Return the nodes of convolutions and linear layers by module name, in the order in which they run."""
    modules = dict(network.named_modules())
    return {
        str(node.target): node
        for node in network.graph.nodes
        if node.op == "call_module" and isinstance(modules[str(node.target)], nn.Conv2d | nn.Linear)
    }


def layers_that_run_once(network: fx.GraphModule) -> dict[str, fx.Node]:
    """Return those of `weighted` that run once in an inference: the ranges of others differ each time."""
    runs = Counter(node.target for node in network.graph.nodes if node.op == "call_module")
    return {name: node for name, node in weighted(network).items() if runs[name] == 1}


def output_of(network: fx.GraphModule, node: fx.Node) -> fx.Node:
    """Return the node of a layer's output: that of the activation function fused with it, if there is one."""
    users = list(node.users)
    if len(users) != 1 or users[0].op != "call_module":
        return node
    follower = network.get_submodule(str(users[0].target))
    return users[0] if isinstance(follower, ACTIVATIONS) else node


def quantised_tensors(network: fx.GraphModule, excluded_modules: frozenset[str]) -> set[fx.Node]:
    """Return the nodes whose values int8 rounds: the inputs and outputs of operators in int8."""
    tensors: set[fx.Node] = set()
    for name, node in weighted(network).items():
        if name not in excluded_modules:
            tensors |= {node.all_input_nodes[0], output_of(network, node)}
    for node in sums_in_int8(network):
        tensors |= {node, *node.all_input_nodes}
    return tensors


def is_sum(node: fx.Node) -> bool:
    """Tell whether a node adds two tensors."""
    return node.op == "call_function" and node.target in _SUMS and len(node.all_input_nodes) > 1


def sums_in_int8(network: fx.GraphModule) -> list[fx.Node]:
    """Return the sums that are computed in int8, in the order in which they run."""
    layers = {node: network.get_submodule(name) for name, node in weighted(network).items()}
    in_float = sums_in_float(
        Step(node.name, _kind(node, layers.get(node)), tuple(other.name for other in node.all_input_nodes))
        for node in network.graph.nodes
    )
    return [node for node in network.graph.nodes if is_sum(node) and node.name not in in_float]


def _kind(node: fx.Node, layer: nn.Module | None) -> Kind:
    if layer is not None:
        return Kind.CONVOLUTION if isinstance(layer, nn.Conv2d) else Kind.MATRIX
    if is_sum(node):
        return Kind.SUM
    return {"placeholder": Kind.INPUT, "get_attr": Kind.CONSTANT}.get(node.op, Kind.OTHER)


def channel_axis(layer: nn.Module, output: Tensor) -> int:
    """Return the axis of a layer's output that has its channels: the last one of a linear layer."""
    return output.dim() - 1 if isinstance(layer, nn.Linear) else 1


def along(values: Tensor, tensor: Tensor, dimension: int) -> Tensor:
    """Return `values` [n] in a shape that broadcasts along one dimension of a tensor."""
    return values.reshape([-1 if index == dimension else 1 for index in range(tensor.dim())])


class Stepwise(fx.Interpreter):
    """Runs a graph node by node, so that two graphs can run in step."""

    def walk(self, images: Tensor) -> Iterator[tuple[fx.Node, Tensor]]:
        """Yield each node with its value, from the input, float32 [n, 3, h, w], to the logits.

        A caller that replaces a value in `env` before the next step has the later nodes computed from it. A
        value is dropped once no node needs it any more.
        """
        self.env = {}
        self.args_iter = iter((images,))
        for node in self.graph.nodes:
            value: Tensor = self.run_node(node)
            self.env[node] = value
            yield node, value
            for unused in self.user_to_last_uses.get(node, ()):
                del self.env[unused]


def simulate(
    network: fx.GraphModule,
    graph: fx.Graph,
    images: Tensor,
    ranges: Mapping[str, Range],
    tensors: set[fx.Node],
) -> Tensor:
    """Return the logits of a network with these tensors rounded; they are nodes of `graph`."""
    run, value = Stepwise(network, graph=graph), images
    for node, value in run.walk(images):
        if node in tensors:
            run.env[node] = fake_quantise(value, ranges[node.name])
    return value


@torch.inference_mode()
def find_ranges(network: fx.GraphModule, batches: Iterable[Tensor]) -> dict[str, Range]:
    """Return, by node name, the range over all images of every tensor that may be quantised: of the values
    that the functions that read it distinguish.

    `batches`: float32 [n, 3, h, w] each.
    """
    tensors = quantised_tensors(network, frozenset())
    bounds = {node: distinguished(network, node) for node in tensors}
    ranges: dict[str, Range] = {}
    for batch in batches:
        for node, value in Stepwise(network).walk(batch):
            if node in tensors:
                new = range_of(value).within(bounds[node])
                ranges[node.name] = ranges[node.name].joined(new) if node.name in ranges else new
    return ranges
