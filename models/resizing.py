"""Resizes and scales stored pixels. It knows nothing of files, and loads no torch."""

import numpy as np
import numpy.typing as npt
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


def from_16_bit(pixels: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """Scale 16-bit values to the 8-bit range without rounding: 65535 becomes 255."""
    return np.divide(pixels, 257, dtype=np.float32)


def to_8_bit(pixels: npt.NDArray[np.float32]) -> Images:
    """Round values in the 8-bit range to uint8."""
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
