"""The main chart as a PNG, drawn without a browser and without a network."""

import io

import vl_convert
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bench.render.html.theme import Specification

_SCALE = 2.0
# What a PNG says of who made it, so that another picture is never replaced by one of these.
_SOFTWARE = ("Software", "edgefit report")


def to_png(specification: Specification) -> bytes:
    """Return a specification drawn at twice its size in pixels."""
    drawn = Image.open(io.BytesIO(vl_convert.vegalite_to_png(specification, scale=_SCALE)))
    out = io.BytesIO()
    # Without transparency and well compressed: an eighth of the bytes.
    told = PngInfo()
    told.add_text(*_SOFTWARE)
    drawn.convert("RGB").save(out, "PNG", optimize=True, pnginfo=told)
    return out.getvalue()


def was_png(content: bytes) -> bool:
    """Tell whether a file's content is a picture of this kind."""
    key, value = _SOFTWARE
    return content.startswith(b"\x89PNG") and f"tEXt{key}\0{value}".encode() in content[:1000]
