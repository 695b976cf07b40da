"""A chart as a PNG image. Pure: specification in, bytes out."""

import io

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
