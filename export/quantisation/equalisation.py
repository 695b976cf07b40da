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

import torch
from torch import Tensor, fx

from export.quantisation.channel_groups import (
    CLIP,
    MARGIN,
    channel_groups,
    largest_values,
    scale_channels,
)

_LARGEST_FACTOR = 16.0
_EXPONENT = 0.5


@torch.inference_mode()
def equalise(network: fx.GraphModule, batches: Sequence[Tensor]) -> fx.GraphModule:
    """Return a copy whose tensors have channels of similar ranges on `batches`, float32 [n, 3, h, w] each."""
    equal = copy.deepcopy(network)
    groups = channel_groups(network)
    largest = largest_values(network, batches, groups)
    for number, group in enumerate(groups):
        if group.fixed or number not in largest:
            continue
        scale_channels(equal, group, _factors(largest[number], group.clipped))
    return equal


def _factors(largest: Tensor, clipped: bool) -> Tensor:
    """Return the factor of each channel, from its largest absolute value: [c]."""
    most = min(float(largest.max()), CLIP / MARGIN if clipped else math.inf)
    factors = torch.where(largest > 0, most / largest, 1.0)
    return factors.clamp(1.0, _LARGEST_FACTOR) ** _EXPONENT
