"""Resizes and scales stored pixels. It knows nothing of files, and loads no torch."""

import numpy as np
from PIL import Image

from models.dataset import Images


def resize(image: Image.Image, side: int) -> Image.Image:
    """Resize to `side` by `side` pixels, bilinear with antialiasing; the aspect ratio is not kept."""
    if image.size == (side, side):
        return image
    return image.resize((side, side), Image.Resampling.BILINEAR)


def resize_all(images: Images, side: int) -> Images:
    """Resize uint8 [n, h, w] or [n, h, w, 3] to `side` by `side` pixels."""
    if images.shape[1:3] == (side, side):
        return images
    resized = np.empty((len(images), side, side, *images.shape[3:]), np.uint8)
    for index, image in enumerate(images):
        resized[index] = np.asarray(resize(Image.fromarray(image), side))
    return resized
