"""`preprocess.py` for a bundle of a run folder, written from its record of preprocessing. Pure."""

from bench.bundle.preprocessing import PreprocessingRecord

_SCRIPT = '''\
"""How an image becomes the network's input. It needs numpy and Pillow alone."""

import numpy as np
from PIL import Image

WIDTH, HEIGHT = {width}, {height}
{constants}

def read_image(path):
    """Return an image as the network takes it: float32 [1, {channels}, {height}, {width}]."""
    image = Image.open(path)
    if image.mode.startswith("I"):  # 16-bit grey
        image = Image.fromarray(np.asarray(image).astype(np.float32) / {sixteen_bit_divide_by})
    else:
        image = image.convert({mode})
    image = image.resize((WIDTH, HEIGHT), Image.Resampling.{resampling})
    pixels = np.atleast_3d(np.rint(np.asarray(image)))
    planes = np.broadcast_to(pixels.transpose(2, 0, 1), ({channels}, HEIGHT, WIDTH))
    batch = np.ascontiguousarray(planes[None], dtype=np.float32) / {divide_by}
    return {batch}
'''
_GREY_OR_RGB = '"L" if image.mode in ("1", "L", "LA", "La") else "RGB"'


def reading_of(steps: PreprocessingRecord) -> str:
    """Return the script with the function `read_image(path)`."""
    height, width = steps.size
    return _SCRIPT.format(
        channels=steps.channels,
        height=height,
        width=width,
        constants=_constants(steps) if steps.is_normalised else "",
        sixteen_bit_divide_by=_number(steps.sixteen_bit_divide_by),
        mode=_GREY_OR_RGB if steps.channels == 3 else '"L"',
        resampling=steps.interpolation.upper(),
        divide_by=_number(steps.divide_by),
        batch="(batch - MEAN) / STD" if steps.is_normalised else "batch",
    )


def _constants(steps: PreprocessingRecord) -> str:
    return f"MEAN = {_planes(steps.mean)}\nSTD = {_planes(steps.std)}\n"


def _planes(values: tuple[float, ...]) -> str:
    return f"np.float32({list(values)}).reshape(1, -1, 1, 1)"


def _number(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)
