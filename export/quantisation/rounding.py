"""GPTQ rounding: rounds weights to the int8 grid so that the layer's output, not each weight, changes least.

Frantar et al. 2022 (arXiv 2210.17323): one input channel is rounded after the other, and the channels that
come later compensate for the error, by the second moments of the layer's inputs. It knows one layer at a
time, and no network.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from export.quantisation.simulation import along

# The share of the diagonal's mean that is added to the diagonal of the second moments: the paper's value.
_DAMPING = 0.01
# Second moments of 960 inputs are steady on this many samples; more would only take time.
_MOST_SAMPLES = 8192
# Enough for convolutions over space: an image has a patch for each of its pixels.
_IMAGES_FOR_PATCHES = 8
_MOST_PATCHES = 4096
_BLOCK = 64
# Time grows with the cube of the inputs that compensate for each other, and memory with the square: the
# 25,088 of VGG16's first linear layer would take 5 GB for each of several matrices.
_MOST_COLUMNS = 2304
_SEED = 11


def scale_of(weight: Tensor, level: int) -> Tensor:
    """Return the step of each output channel's grid, which puts the largest weight at ±`level`: [out]."""
    scale = weight.detach().abs().flatten(1).amax(1) / level
    return torch.where(scale > 0, scale, 1.0)


def on_grid(weight: Tensor, level: int) -> Tensor:
    """Return weights [out, …] rounded to the nearest of ±`level` steps of their output channel.

    Every runtime derives the same grid from a channel's largest weight, so it does not round them again.
    """
    scale = along(scale_of(weight, level), weight, 0)
    return torch.round(weight / scale) * scale


@torch.no_grad()
def rounded(layer: nn.Module, inputs: Tensor, level: int) -> Tensor:
    """Return a layer's weights [out, …] on the grid of ±`level` steps an output channel.

    `inputs`: the layer's inputs, float32 [n, in, h, w], or [n, …, in] for a linear layer.
    """
    weight = layer.get_parameter("weight")
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    rows = weight.flatten(1).reshape(groups, len(weight) // groups, -1)
    steps = scale_of(weight, level).reshape(groups, -1)
    # The largest weight of a channel stays at the end of its grid: exporters derive the step from it.
    largest = rows.abs() == rows.abs().amax(2, keepdim=True)
    samples = _samples(layer, inputs)
    count = -(-rows.shape[2] // _MOST_COLUMNS)
    parts = zip(*(values.tensor_split(count, 2) for values in (rows, largest, samples)), strict=True)
    result = [
        _compensated(part, is_largest, _second_moments(some), steps, level)
        for part, is_largest, some in parts
    ]
    return torch.cat(result, 2).reshape(weight.shape)


def _second_moments(samples: Tensor) -> Tensor:
    """Return Σ x xᵀ of samples [groups, n, k]: float64 [groups, k, k]."""
    samples = samples.double()
    return samples.transpose(1, 2) @ samples


def _samples(layer: nn.Module, inputs: Tensor) -> Tensor:
    """Return samples of what each group of output channels sums over: [groups, n, k]."""
    if not isinstance(layer, nn.Conv2d):
        return _some(inputs.flatten(0, -2))[None]
    if layer.kernel_size == (1, 1) and layer.groups == 1:
        return _some(inputs.movedim(1, -1).flatten(0, -2))[None]
    # The padding of both ends of each dimension, the last dimension first; it covers padding="same" too.
    images = F.pad(inputs[:_IMAGES_FOR_PATCHES], layer._reversed_padding_repeated_twice)
    few = _MOST_PATCHES // len(images)
    patches = [
        _some(F.unfold(image[None], layer.kernel_size, layer.dilation, 0, layer.stride)[0].T, few)
        for image in images
    ]
    rows = torch.cat(patches)
    if layer.groups == 1:
        return rows[None]
    return rows.reshape(len(rows), layer.groups, -1).transpose(0, 1)


def _some(rows: Tensor, most: int = _MOST_SAMPLES) -> Tensor:
    """Return at most `most` rows, chosen at random but the same each time."""
    if len(rows) <= most:
        return rows
    random = torch.Generator().manual_seed(_SEED)
    return rows[torch.randperm(len(rows), generator=random)[:most]]


def _compensated(rows: Tensor, largest: Tensor, moments: Tensor, steps: Tensor, level: int) -> Tensor:
    """Round rows [groups, out, k] by moments [groups, k, k] and steps [groups, out].

    `largest`: which of them are the largest of their whole channel, and stay as they are. Inputs with the
    largest moment are rounded first, while many others are left to compensate for them.
    """
    size = rows.shape[-1]
    diagonal = moments.diagonal(dim1=1, dim2=2)
    damping = _DAMPING * diagonal.mean(1, keepdim=True)
    moments = moments + torch.diag_embed(damping + (diagonal + damping == 0).to(moments.dtype))
    order = diagonal.argsort(dim=1, descending=True)
    moments = moments.gather(1, order[:, :, None].expand_as(moments))
    moments = moments.gather(2, order[:, None].expand_as(moments))
    rest = rows.gather(2, order[:, None].expand_as(rows)).clone()
    largest = largest.gather(2, order[:, None].expand_as(largest))
    original = rest.clone()
    factor = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(moments)), upper=True)
    factor = (factor / factor.diagonal(dim1=1, dim2=2)[:, :, None]).to(rows.dtype)
    result = torch.empty_like(rest)
    for first in range(0, size, _BLOCK):
        last = min(first + _BLOCK, size)
        errors = torch.empty_like(rest[:, :, first:last])
        for column in range(first, last):
            value = torch.round(rest[:, :, column] / steps).clamp(-level, level) * steps
            value = torch.where(largest[:, :, column], original[:, :, column], value)
            result[:, :, column] = value
            error = rest[:, :, column] - value
            errors[:, :, column - first] = error
            rest[:, :, column + 1 : last] -= error[:, :, None] * factor[:, None, column, column + 1 : last]
        rest[:, :, last:] -= errors @ factor[:, first:last, last:]
    return result.gather(2, order.argsort(1)[:, None].expand_as(result))
