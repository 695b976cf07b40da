"""Computes a network's logits for stored images. It knows no labels and no figures of merit."""

import numpy as np
import numpy.typing as npt
import torch

from models.dataset import Images
from models.network import ImageClassifier
from models.pixels import images_at_once, to_input, to_planes
from models.progress import Progress


def predict(
    network: ImageClassifier, images: Images, task: str, progress: Progress
) -> npt.NDArray[np.float32]:
    """Return the logits [n, classes] for uint8 images at network size; the network is put into eval mode."""
    network.eval()
    progress.begin(task, len(images))
    parts, count = [], images_at_once(*images.shape[1:3])
    for start in range(0, len(images), count):
        planes = to_planes(images[start : start + count])
        with torch.inference_mode():
            parts.append(network(to_input(planes)).numpy())
        progress.advance(len(planes))
    return np.concatenate(parts)
