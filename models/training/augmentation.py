"""Rotates and flips the images of a batch at random. It knows images in memory and a random generator."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


@dataclass(frozen=True)
class Augmentation:
    """How images are changed at random."""

    degrees: float
    """The largest rotation, in either direction."""
    flip: bool
    """Whether half of the images are mirrored left to right."""

    def apply(self, planes: Tensor, generator: Generator) -> Tensor:
        """Augment float32 [n, c, h, w]; h must equal w. What a rotation brings in from outside is black."""
        count = len(planes)
        radians = (torch.rand(count, generator=generator) * 2 - 1) * math.radians(self.degrees)
        mirror = torch.ones(count)
        if self.flip:
            mirror[torch.rand(count, generator=generator) < 0.5] = -1
        return _transform(planes, radians, mirror)


def _transform(planes: Tensor, radians: Tensor, mirror: Tensor) -> Tensor:
    """Rotate and mirror with one bilinear resampling."""
    cosine, sine, zero = torch.cos(radians), torch.sin(radians), torch.zeros(len(planes))
    rows = [torch.stack([mirror * cosine, -sine, zero], 1), torch.stack([mirror * sine, cosine, zero], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(planes.shape), align_corners=False)
    return F.grid_sample(planes, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
