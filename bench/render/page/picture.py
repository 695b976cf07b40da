"""The main chart as a PNG, drawn without a browser and without a network."""

import io

import vl_convert
from PIL import Image

from bench.render.page.looks import Specification

PNG = b"\x89PNG\r\n\x1a\n"
_SCALE = 2.0


def to_png(specification: Specification) -> bytes:
    """Return a specification drawn at twice its size in pixels."""
    drawn = Image.open(io.BytesIO(vl_convert.vegalite_to_png(specification, scale=_SCALE)))
    out = io.BytesIO()
    # Without transparency and well compressed: an eighth of the bytes.
    drawn.convert("RGB").save(out, "PNG", optimize=True)
    return out.getvalue()


def was_png(content: bytes) -> bool:
    """Tell whether a file's content is a picture of this kind."""
    return content.startswith(PNG)
