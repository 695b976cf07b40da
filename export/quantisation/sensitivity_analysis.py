"""Measures how sensitive a network is to int8, layer by layer and tensor by tensor, in PyTorch.

One tensor, or the weights of one layer, are rounded at a time while everything else stays in float. The error
of the logits is the result.
"""

import copy
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, fx, nn

from export.quantisation.correction import find_correction
from export.quantisation.rounding import rounded
from export.quantisation.sensitivity import Activation, Layer, Sensitivity
from export.quantisation.simulation import (
    ACTIVATIONS,
    Range,
    channel_axis,
    fake_quantise,
    output_of,
    quantised_tensors,
    sums_in_int8,
    weighted,
)


@torch.inference_mode()
def analyse_sensitivity(
    network: fx.GraphModule,
    images: Tensor,
    ranges: Mapping[str, Range],
    level: int,
    report: Callable[[int, int], None],
    are_classes: bool = True,
) -> Sensitivity:
    """Measure on `images`, float32 [n, 3, h, w]; `level` is the largest absolute value of an int8 weight.

    `report` receives how many roundings of how many are done. `are_classes`: whether the network's values are
    scores of classes that exclude each other, so that one change of all of them changes no answer. Raises
    ValueError if the values have no signal that noise could be compared with.
    """
    network = _out_of_place(network)
    values = _values(network, images)
    nodes = list(network.graph.nodes)
    logits = values[nodes[-1]]
    signal = _power(logits, are_classes)
    if signal == 0:
        raise ValueError(
            "the network prefers no class for any image, or gives zeros alone, so the effect of int8 cannot "
            "be measured; train the network again, or judge another output"
        )
    layers, tensors = weighted(network), quantised_tensors(network, frozenset())
    sums = sums_in_int8(network)
    total, done = len(layers) + len(tensors), 0

    def noise_of(node: fx.Node, value: Tensor) -> float:
        nonlocal done
        done += 1
        report(done, total)
        before = {earlier: values[earlier] for earlier in nodes[: nodes.index(node)]}
        changed = fx.Interpreter(network).run(images, initial_env={**before, node: value})
        return _power(changed - logits, are_classes) / signal

    weights = {name: network.get_parameter(f"{name}.weight").numel() for name in layers}
    macs = {name: _macs(network.get_submodule(name), values[node]) for name, node in layers.items()}
    return Sensitivity(
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
                summed=node in sums or any(user in sums for user in node.users),
            )
            for node in nodes
            if node in tensors
        ),
    )


def _out_of_place(network: fx.GraphModule) -> fx.GraphModule:
    """Return a copy whose activation functions do not overwrite their inputs."""
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
    """Return a layer's output with its weights on the int8 grid, corrected."""
    layer = copy.deepcopy(network.get_submodule(name))
    inputs = values[node.all_input_nodes[0]]
    layer.get_parameter("weight").copy_(rounded(layer, inputs, level))
    value: Tensor = layer(inputs)
    return find_correction(values[node], value, channel_axis(layer, value)).applied(value)


def _around(network: fx.GraphModule, tensor: fx.Node) -> list[str]:
    """Return the layers that a tensor goes into, and the one that it comes out of."""
    layers = weighted(network)
    return [
        name
        for name, node in layers.items()
        if output_of(network, node) is tensor or tensor in node.all_input_nodes
    ]


def _macs(layer: nn.Module, output: Tensor) -> int:
    weight = layer.get_parameter("weight")
    return output[0].numel() * weight[0].numel()


def _power(logits: Tensor, are_classes: bool) -> float:
    """Return the mean square of values [n, values]; of logits of classes about each image's mean, which
    softmax ignores.

    A single logit has no such mean.
    """
    if are_classes and logits.shape[1] > 1:
        logits = logits - logits.mean(dim=1, keepdim=True)
    return float(logits.square().mean())
