"""What each layer and tensor costs in int8: found once, on the PyTorch network, by module name.

One tensor, or one layer's weights, is rounded at a time while everything else stays in float, and the error
of the logits is taken.
"""

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, fx, nn

from export.quantisation.correction import find_correction
from export.quantisation.costs import Activation, Costs, Layer
from export.quantisation.rounding import rounded
from export.quantisation.simulation import (
    ACTIVATIONS,
    Range,
    fake_quantise,
    is_sum,
    output_of,
    quantised_tensors,
    weighted,
)


@torch.inference_mode()
def find_costs(
    network: fx.GraphModule,
    images: Tensor,
    ranges: Mapping[str, Range],
    level: int,
    tell: Callable[[int, int], None],
) -> Costs:
    """Measure on `images`, float32 [n, 3, h, w]; `tell` hears how many of how many roundings are done.

    `level`: the largest absolute value of an int8 weight.

    Raises ValueError where there is nothing to compare noise with.
    """
    network = _out_of_place(network)
    values = _values(network, images)
    nodes = list(network.graph.nodes)
    logits = values[nodes[-1]]
    signal = _power(logits)
    if signal == 0:
        raise ValueError("the network prefers no class for any image, so nothing can be said of its int8")
    layers, tensors = weighted(network), quantised_tensors(network, frozenset())
    everything, done = len(layers) + len(tensors), 0

    def noise_of(node: fx.Node, value: Tensor) -> float:
        nonlocal done
        done += 1
        tell(done, everything)
        known = {one: values[one] for one in nodes[: nodes.index(node)]}
        answer = fx.Interpreter(network).run(images, initial_env={**known, node: value})
        return _power(answer - logits) / signal

    weights = {name: network.get_parameter(f"{name}.weight").numel() for name in layers}
    macs = {name: _macs(network.get_submodule(name), values[node]) for name, node in layers.items()}
    return Costs(
        layers=tuple(
            Layer(
                name=name,
                is_convolution=isinstance(network.get_submodule(name), nn.Conv2d),
                share_of_macs=macs[name] / sum(macs.values()),
                share_of_weights=weights[name] / sum(weights.values()),
                noise=noise_of(node, _rounded(network, name, node, values, level)),
            )
            for name, node in layers.items()
        ),
        activations=tuple(
            Activation(
                noise=noise_of(node, fake_quantise(values[node], ranges[node.name])),
                layers=tuple(_around(network, node)),
                summed=is_sum(node) or any(is_sum(user) for user in node.users),
            )
            for node in nodes
            if node in tensors
        ),
    )


def _out_of_place(network: fx.GraphModule) -> fx.GraphModule:
    """Return a copy whose activations leave the values they are given as they were."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, ACTIVATIONS):
            module.inplace = False
    return network


def _values(network: fx.GraphModule, images: Tensor) -> dict[fx.Node, Tensor]:
    run = fx.Interpreter(network, garbage_collect_values=False)
    run.run(images)
    return run.env


def _rounded(
    network: fx.GraphModule, name: str, node: fx.Node, values: Mapping[fx.Node, Tensor], level: int
) -> Tensor:
    """Return a layer's output with its weights on the int8 grid and corrected."""
    layer = copy.deepcopy(network.get_submodule(name))
    inputs = values[node.all_input_nodes[0]]
    layer.get_parameter("weight").copy_(rounded(layer, inputs, level))
    value: Tensor = layer(inputs)
    return find_correction(values[node], value).applied(value)


def _around(network: fx.GraphModule, tensor: fx.Node) -> list[str]:
    """Return the layers that a tensor goes into, and the one it comes out of."""
    layers = weighted(network)
    return [
        name
        for name, node in layers.items()
        if output_of(network, node) is tensor or tensor in node.all_input_nodes
    ]


def _macs(layer: nn.Module, output: Tensor) -> int:
    weight = layer.get_parameter("weight")
    return output[0].numel() * weight[0].numel()


def _power(logits: Tensor) -> float:
    """Return the mean square of logits [n, classes] about each image's mean, which no softmax sees."""
    return float((logits - logits.mean(dim=1, keepdim=True)).square().mean())
