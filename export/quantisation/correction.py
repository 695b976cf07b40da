"""Correction: gives each channel of a layer's output back the mean and the size that rounding took from it.

Bias correction as in Nagel et al. 2019 (arXiv 1906.04721, section 4.2), measured on images instead of
derived; and the same for the scale, which costs nothing, since every channel's weights have their own. The
network and its int8 twin run in step: each layer is rounded for the inputs that the twin gives it, and
corrected before the next one sees its outputs.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx

from export.quantisation.rounding import rounded
from export.quantisation.simulation import (
    Range,
    Stepwise,
    along,
    fake_quantise,
    quantised_tensors,
    weighted,
)

# Rounding changes a channel's size by a few hundredths; more is a channel that hardly varies on the images.
_LEAST_GAIN, _LARGEST_GAIN = 0.8, 1.25


@dataclass(frozen=True)
class Correction:
    """What the channels of a tensor [n, c, …] are multiplied by, and what is added then: [c] each."""

    gain: Tensor
    shift: Tensor

    def applied(self, value: Tensor) -> Tensor:
        """Return the corrected tensor."""
        return value * along(self.gain, value, 1) + along(self.shift, value, 1)


def find_correction(wanted: Tensor, value: Tensor) -> Correction:
    """Return what brings each channel of `value` [n, c, …] to the mean and size it has in `wanted`.

    The gain is var(wanted) ÷ cov(wanted, value): that of `wanted` seen through the noise of `value`, which
    least squares would take for a reason to shrink.
    """
    others = [0, *range(2, value.dim())]
    wanted_mean, mean = wanted.mean(dim=others), value.mean(dim=others)
    centred = wanted - along(wanted_mean, wanted, 1)
    together = (centred * (value - along(mean, value, 1))).mean(dim=others)
    gain = centred.square().mean(dim=others) / together
    gain = torch.where(torch.isfinite(gain) & (together > 0), gain, 1.0).clamp(_LEAST_GAIN, _LARGEST_GAIN)
    return Correction(gain, wanted_mean - gain * mean)


@torch.no_grad()
def correct(
    network: fx.GraphModule,
    images: Tensor,
    ranges: Mapping[str, Range],
    excluded_modules: frozenset[str],
    level: int,
) -> fx.GraphModule:
    """Return a copy with weights on the int8 grid of ±`level` and corrected, but for layers left in float.

    `images`: float32 [n, 3, h, w], all held in memory with two layers' outputs; `ranges`: by node name.
    """
    corrected = copy.deepcopy(network)
    tensors = quantised_tensors(network, excluded_modules)
    layers = {node: name for name, node in weighted(network).items() if name not in excluded_modules}
    exact, twin = Stepwise(network), Stepwise(corrected, graph=network.graph)
    twin_steps = twin.walk(images)
    for node, reference in exact.walk(images):
        if node in layers:
            layer = corrected.get_submodule(layers[node])
            layer.get_parameter("weight").copy_(rounded(layer, twin.env[node.all_input_nodes[0]], level))
        _, value = next(twin_steps)
        if node in layers:
            correction = find_correction(reference, value)
            _apply(correction, corrected, layers[node])
            value = correction.applied(value)
        twin.env[node] = fake_quantise(value, ranges[node.name]) if node in tensors else value
    return corrected


def _apply(correction: Correction, network: fx.GraphModule, name: str) -> None:
    weight, bias = network.get_parameter(f"{name}.weight"), network.get_parameter(f"{name}.bias")
    weight.mul_(along(correction.gain, weight, 0))
    bias.mul_(correction.gain).add_(correction.shift)
