"""Images of an evaluation pack as `data:` addresses, which a page holds within itself. Pure."""

import base64
import io

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIDE = 96


def thumbnail(image: npt.NDArray[np.uint8]) -> str:
    """Return a uint8 image, grey [side, side] or RGB [side, side, 3], as a JPEG of 96 pixels at the most."""
    picture = Image.fromarray(image)
    picture.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    # As PNG three times the bytes: sixty of them for each of three devices would burst the page.
    picture.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
