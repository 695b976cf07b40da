"""Balances channels that are far apart: one thousands of times larger than another, for its scale alone.

The same function can be written with any scale of a channel, if the weights that read it undo that. int8
gives all channels of a tensor one range, so that a large one leaves no levels for the others. Where the
values of a channel are small, and the weights that read it are as much larger than usual, its scale has been
moved. Only then are the channels of a tensor given back scales at which values and weights are in balance:
what a network learns by itself stays as it is, for cross-layer equalisation knows better how far to go.

Factors are powers of two, so that the network in float stays the same to the last bit.
"""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, fx

from export.quantisation.channel_groups import (
    CLIP,
    MARGIN,
    channel_groups,
    largest_values,
    reading_weights,
    scale_channels,
)

# Channels with less than this share of the largest contribution to the next layer do not count.
_LEAST_CONTRIBUTION = 1e-3
# How many bits a channel must gain, or all of them on average. A MobileNetV2 with ImageNet weights has
# channels that would gain 4 bits, and all of a tensor half a bit.
_FAR_FOR_ONE, _FAR_FOR_ALL = 8.0, 2.0
# Ranges beyond these are far from those of any network, and from what quantisation libraries can write down.
_SMALLEST_RANGE, _LARGEST_RANGE = 2.0**-10, 2.0**14


@torch.inference_mode()
def balance(network: fx.GraphModule, batches: Sequence[Tensor]) -> fx.GraphModule:
    """Return the network, or a copy in which no channels are far apart on `batches`, float32 [n, 3, h, w]."""
    groups = channel_groups(network)
    largest = largest_values(network, batches, groups)
    factors = {
        number: found
        for number, group in enumerate(groups)
        if number in largest
        and group.readers
        and group.writers
        and (found := balancing(largest[number], reading_weights(network, group), group.clipped)) is not None
    }
    if not factors:
        return network
    balanced = copy.deepcopy(network)
    for number, found in factors.items():
        scale_channels(balanced, groups[number], found)
    return balanced


def balancing(values: Tensor, weights: Tensor, clipped: bool) -> Tensor | None:
    """Return the factor of each channel, [c]; None where channels are not far apart.

    `values`: the largest absolute value of each channel, [c]; `weights`: the largest absolute weight that
    reads it, [c]. `clipped`: whether ReLU6 clips the channels.
    """
    sizes = values.double()
    contributions = sizes * weights.double()
    counts = contributions > _LEAST_CONTRIBUTION * contributions.max()
    if not bool(counts.any()) or not bool(torch.isfinite(contributions).all()):
        return None
    factors = _factors(sizes, weights.double(), counts)
    factors = _within_clip(sizes, factors) if clipped else factors * _to_usual(sizes * factors)
    if not _is_far_apart(sizes, factors, counts) and _is_usual(sizes):
        return None
    return factors.to(values.dtype)


def _factors(sizes: Tensor, weights: Tensor, counts: Tensor) -> Tensor:
    """Return powers of two at which values and the weights that read them are in balance."""
    balanced = torch.sqrt(weights / sizes)
    usual = balanced[counts].median()
    factors = torch.exp2(torch.round(torch.log2(balanced / usual)))
    factors = torch.where((sizes > 0) & (weights > 0), factors, 1.0)
    target = (sizes * factors)[counts].max()
    shrinking = torch.exp2(torch.floor(torch.log2(target / sizes))).clamp(max=1.0)
    return torch.where(counts, factors, torch.where(sizes > 0, torch.minimum(factors, shrinking), 1.0))


def _within_clip(sizes: Tensor, factors: Tensor) -> Tensor:
    """Return factors at which ReLU6 clips nothing new; channels that it clips already keep their scale."""
    clipped = sizes >= CLIP / MARGIN
    if not bool(clipped.all()):
        factors = factors * _power_of_two_below(CLIP / MARGIN / float((sizes * factors)[~clipped].max()))
    return torch.where(clipped, 1.0, factors)


def _power_of_two_below(value: float) -> float:
    return 2.0 ** math.floor(math.log2(value)) if 0 < value < math.inf else 1.0


def _to_usual(sizes: Tensor) -> float:
    """Return what brings ranges that no network has to about 1."""
    return 1.0 if _is_usual(sizes) else _power_of_two_below(1 / float(sizes.max()))


def _is_usual(sizes: Tensor) -> bool:
    largest = float(sizes.max())
    return largest == 0 or _SMALLEST_RANGE <= largest <= _LARGEST_RANGE


def _is_far_apart(sizes: Tensor, factors: Tensor, counts: Tensor) -> bool:
    """Tell whether channels would gain so many bits that their scale must have been moved."""
    before = torch.log2(sizes / sizes.max())
    after = torch.log2(sizes * factors / (sizes * factors).max())
    gain = (after - before)[counts]
    return float(gain.max()) > _FAR_FOR_ONE or float(gain.mean()) > _FAR_FOR_ALL
