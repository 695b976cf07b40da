"""Bias correction: gives each layer back the mean that rounding took from its outputs.

After Nagel et al. 2019 (arXiv 1906.04721, section 4.2), measured on images instead of derived: the network
and its int8 twin run in step, and each bias is corrected before the next layer sees the outputs.
"""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, fx

from export.quantisation.simulation import (
    Range,
    Stepwise,
    channel_shift,
    fake_quantise,
    on_grid,
    quantised_tensors,
    shifted,
    weighted,
)


@torch.inference_mode()
def correct_biases(
    network: fx.GraphModule, images: Tensor, ranges: Mapping[str, Range], left_in_float: frozenset[str]
) -> fx.GraphModule:
    """Return a copy with weights on the int8 grid and corrected biases, but for the layers left in float.

    `images`: float32 [n, 3, h, w], all held in memory with two layers' outputs.
    """
    rounded = copy.deepcopy(network)
    tensors = quantised_tensors(network, left_in_float)
    layers = {node: name for name, node in weighted(network).items() if name not in left_in_float}
    exact, twin = Stepwise(network), Stepwise(rounded, graph=network.graph)
    exact.begin(images)
    twin.begin(images)
    for name in layers.values():
        weight = rounded.get_parameter(f"{name}.weight")
        weight.copy_(on_grid(weight))
    for node in network.graph.nodes:
        right, value = exact.step(node), twin.step(node)
        if node in layers:
            shift = channel_shift(right, value)
            rounded.get_parameter(f"{layers[node]}.bias").add_(shift)
            value = shifted(value, shift)
        if node in tensors:
            value = fake_quantise(value, ranges[node.name])
        twin.env[node] = value
        exact.forget_before(node)
        twin.forget_before(node)
    return rounded
