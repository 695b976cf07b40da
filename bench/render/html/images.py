"""Images of the page: the main chart as PNG, and thumbnails of evaluation images. Pure."""

import base64
import io

import numpy as np
import numpy.typing as npt
import vl_convert
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bench.render.html.drawing import Specification

_SCALE = 2.0
# A PNG names its writer, so that edgefit never replaces another picture.
_SOFTWARE = ("Software", "edgefit report")


def to_png(specification: Specification) -> bytes:
    """Return a specification drawn at twice its size in pixels."""
    drawn = Image.open(io.BytesIO(vl_convert.vegalite_to_png(specification, scale=_SCALE)))
    out = io.BytesIO()
    # Without transparency and with strong compression it has an eighth of the bytes.
    made_by = PngInfo()
    made_by.add_text(*_SOFTWARE)
    drawn.convert("RGB").save(out, "PNG", optimize=True, pnginfo=made_by)
    return out.getvalue()


def was_png(content: bytes) -> bool:
    """Tell whether this module wrote a file's content."""
    key, value = _SOFTWARE
    return content.startswith(b"\x89PNG") and f"tEXt{key}\0{value}".encode() in content[:1000]


_SIDE = 96


def thumbnail(image: npt.NDArray[np.uint8]) -> str:
    """Return a uint8 image, grey [side, side] or RGB [side, side, 3], as a JPEG of at most 96 pixels."""
    picture = Image.fromarray(image)
    picture.thumbnail((_SIDE, _SIDE))
    out = io.BytesIO()
    # A PNG has three times the bytes, and a page may have sixty images for each of three devices.
    picture.save(out, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"
