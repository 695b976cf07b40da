"""Converts stored pixels (uint8) to the network's input (float32 in [0, 1]). It knows nothing of files."""

import numpy as np
import torch
from torch import Tensor

from models.dataset import Images

_MOST_AT_ONCE = 64
_MOST_PIXELS_AT_ONCE = _MOST_AT_ONCE * 224 * 224


def images_at_once(height: int, width: int) -> int:
    """Return how many images are run at once that need no gradients: fewer of large ones."""
    return max(1, min(_MOST_AT_ONCE, _MOST_PIXELS_AT_ONCE // (height * width)))


def to_planes(images: Images) -> Tensor:
    """Convert uint8 [n, h, w] or [n, h, w, 3] to float32 [n, 1 or 3, h, w] in [0, 1]."""
    pixels = torch.from_numpy(np.ascontiguousarray(images)).float().div_(255)
    return pixels.unsqueeze(1) if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2)


def to_input(planes: Tensor) -> Tensor:
    """Convert float32 [n, 1 or 3, h, w] to the network's [n, 3, h, w]: a grey plane is repeated."""
    return planes.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
