"""Images of an evaluation pack as `data:` addresses, which a page holds within itself. Pure."""

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIDE = 96


def thumbnail(image: npt.NDArray[np.uint8]) -> str:
    """Return a uint8 image, grey [side, side] or RGB [side, side, 3], as a PNG of 96 pixels at the most."""
    picture = Image.fromarray(image)
    picture.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
