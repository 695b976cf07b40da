"""Bias and scale correction: restores the mean and the scale of each output channel after rounding.

Bias correction follows Nagel et al. 2019 (arXiv 1906.04721, section 4.2), but is measured on images instead
of derived. The scale is corrected in the same way, which costs nothing: every channel's weights have a scale
of their own. The network and its int8 copy run in step. Each layer is rounded for the inputs that the copy
gives it, and corrected before the next layer uses its outputs.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx

from export.quantisation.rounding import rounded
from export.quantisation.simulation import (
    Range,
    Stepwise,
    along,
    channel_axis,
    fake_quantise,
    quantised_tensors,
    weighted,
)

# Rounding changes a channel's scale by a few hundredths. A larger gain means that the channel hardly varies
# on the images.
_LEAST_GAIN, _LARGEST_GAIN = 0.8, 1.25


@dataclass(frozen=True)
class Correction:
    """A gain and a shift for each channel of a tensor [n, c, …] or [n, …, c]."""

    gain: Tensor
    """What each channel is multiplied by: [c]."""
    shift: Tensor
    """What is added to each channel after that: [c]."""
    axis: int
    """The tensor's axis of channels."""

    def applied(self, value: Tensor) -> Tensor:
        """Return the corrected tensor."""
        return value * along(self.gain, value, self.axis) + along(self.shift, value, self.axis)


def find_correction(reference: Tensor, value: Tensor, axis: int) -> Correction:
    """Return the correction that gives each channel of `value` the mean and scale of `reference`.

    `axis`: the axis of the channels.

    The gain is var(reference) ÷ cov(reference, value). The gain of least squares, cov(reference, value) ÷
    var(value), would be too small because of the noise in `value`.
    """
    others = [other for other in range(value.dim()) if other != axis]
    reference_mean, mean = reference.mean(dim=others), value.mean(dim=others)
    centred = reference - along(reference_mean, reference, axis)
    covariance = (centred * (value - along(mean, value, axis))).mean(dim=others)
    gain = centred.square().mean(dim=others) / covariance
    gain = torch.where(torch.isfinite(gain) & (covariance > 0), gain, 1.0)
    gain = gain.clamp(_LEAST_GAIN, _LARGEST_GAIN)
    return Correction(gain, reference_mean - gain * mean, axis)


@torch.no_grad()
def correct(
    network: fx.GraphModule,
    images: Tensor,
    ranges: Mapping[str, Range],
    excluded_modules: frozenset[str],
    level: int,
    steps: Callable[[int, int], None] = lambda _done, _total: None,
) -> fx.GraphModule:
    """Return a corrected copy whose weights lie on the int8 grid of ±`level`, but for excluded modules.

    `images`: float32 [n, 3, h, w]; they are held in memory with two layers' outputs. `ranges`: by node name.
    `steps` receives how many layers of how many are done.
    """
    corrected = copy.deepcopy(network)
    tensors = quantised_tensors(network, excluded_modules)
    layers = {node: name for name, node in weighted(network).items() if name not in excluded_modules}
    exact, int8 = Stepwise(network), Stepwise(corrected, graph=network.graph)
    int8_steps, done = int8.walk(images), 0
    for node, reference in exact.walk(images):
        if node in layers:
            layer = corrected.get_submodule(layers[node])
            layer.get_parameter("weight").copy_(rounded(layer, int8.env[node.all_input_nodes[0]], level))
        _, value = next(int8_steps)
        if node in layers:
            axis = channel_axis(corrected.get_submodule(layers[node]), value)
            correction = find_correction(reference, value, axis)
            _apply(correction, corrected, layers[node])
            value = correction.applied(value)
            done += 1
            steps(done, len(layers))
        int8.env[node] = fake_quantise(value, ranges[node.name]) if node in tensors else value
    return corrected


def _apply(correction: Correction, network: fx.GraphModule, name: str) -> None:
    weight, bias = network.get_parameter(f"{name}.weight"), network.get_parameter(f"{name}.bias")
    weight.mul_(along(correction.gain, weight, 0))
    bias.mul_(correction.gain).add_(correction.shift)
