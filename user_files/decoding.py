"""Reads image files as people have them: upright, in 8 bits, grey or RGB. It knows no sizes and no networks.

Training, export, bench and every shipped `preprocess.py` read images with this code, and so get equal pixels:
`--ship` copies this text. Therefore it needs numpy and Pillow alone, and imports Pillow only to read one.
Transparency and colour profiles are ignored, and of several pictures in a file the first one is read.
"""

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

FULL_WHITE = 65535
"""The highest value of 16 bits."""
MOST_MEGAPIXELS = 178
"""Pillow refuses larger images."""
NO_MEMORY = "it needs more memory than there is: make it smaller"
"""Why an image cannot be read, after "it"."""

_GREY_MODES = ("1", "L", "LA")
_ORIENTATION = 0x0112
# What turns an image upright, by the number that EXIF has for how it lies.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0
# Several large images at once would need more memory than small boards have.
_LARGE_PIXELS = 20_000_000
_large_images = threading.Lock()
_QUIET = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


class ImageError(ValueError):
    """An image file cannot be read; the message begins with "it" and says why, and what to do."""


def read_upright(path: "str | Path", white: int = FULL_WHITE, is_turned: bool = True) -> "Image.Image":
    """Return an image file in 8 bits as viewers show it: grey (mode `L`), or with colours (`RGB`).

    `white`: the 16-bit value that becomes 255. `is_turned`: whether the orientation that the file states is
    applied. Raises ImageError.
    """
    with opened_image(path) as image:
        is_deep_colour = has_deep_colours(image)
        image.load()
        if is_deep_colour and white != FULL_WHITE:
            raise ImageError(
                f"it has colours of 16 bits, and {white} counts as white here, but of such colours only the "
                "upper 8 bits can be read: save it in grey with 16 bits, or with 8 bits"
            )
        pixels = _eight_bits(image, white)
        return _turned(pixels, _orientation(image)) if is_turned else pixels


@contextmanager
def opened_image(path: "str | Path") -> "Iterator[Image.Image]":
    """Open an image file; large ones one at a time. Whatever Pillow raises becomes an ImageError."""
    from PIL import Image

    # Pillow warns of damaged metadata and of large images, which changes no pixel. The entry is kept:
    # other threads would be without it for a moment.
    if _QUIET not in warnings.filters:
        warnings.filterwarnings("ignore", module=_QUIET[3].pattern)
    try:
        # By its name Pillow would map a TIFF into memory, and mix up the rows of one that lies on its side.
        with Path(path).open("rb") as file, Image.open(file) as image:
            is_large = image.width * image.height > _LARGE_PIXELS
            with _large_images if is_large else nullcontext():
                yield image
    except ImageError:
        raise
    except Exception as error:  # Pillow raises many kinds of errors for a damaged file
        raise ImageError(_why(Path(path), error)) from error


def _why(path: Path, error: Exception) -> str:
    """Return why an image cannot be read, in words of people who know images and no libraries."""
    from PIL import Image, UnidentifiedImageError

    words = " ".join(str(error).split())
    if isinstance(error, Image.DecompressionBombError):
        pixels = re.search(r"\d+", words)
        size = f"{int(pixels[0]) / 1e6:.0f} megapixels" if pixels else "too many pixels"
        return f"it has {size}, and edgefit reads at most {MOST_MEGAPIXELS}: make it smaller"
    if isinstance(error, MemoryError):
        return NO_MEMORY
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be opened: {error.strerror}"
    if path.is_file() and path.stat().st_size == 0:
        return "it is empty (0 bytes): copy it again"
    if isinstance(error, UnidentifiedImageError):
        return "it is no image, is cut off, or is of a kind that edgefit does not read: save it as PNG"
    if isinstance(error, EOFError) or re.search("truncated|end of file|not enough|too short", words, re.I):
        return "it is cut off: copy it again"
    return f"it is damaged, or of a kind that edgefit does not read ({words or type(error).__name__})"


def has_deep_colours(image: "Image.Image") -> bool:
    """Tell whether an opened image that is not loaded has colours, or grey and alpha, of 16 bits.

    Pillow reads the upper 8 bits of them alone.
    """
    return not is_deep(image) and ";16" in repr(getattr(image, "tile", ()))


def is_deep(image: "Image.Image") -> bool:
    """Tell whether an image has one channel with more than 8 bits."""
    return image.mode.startswith(("I", "F"))


def deep_values(image: "Image.Image") -> npt.NDArray[np.integer]:
    """Return the values of a deep image, from 0 to at most 65535. Raises ImageError for others."""
    values = np.asarray(image)
    if values.dtype.kind not in "iu":
        numbers = values[np.isfinite(values)]
        span = f" (from {numbers.min():.6g} to {numbers.max():.6g})" if numbers.size else ""
        raise ImageError(
            f"its values are fractions{span}, and nothing says which one is white: save it with 8 or 16 bits"
        )
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise ImageError(
            f"it has negative values (from {low} to {high}), as images of CT have: choose a window, and save "
            "it with values from 0"
        )
    if high > FULL_WHITE:
        raise ImageError(f"it has values up to {high}, and edgefit reads 16 bits (up to {FULL_WHITE})")
    return values


def eight_bits_of(values: npt.NDArray[np.integer], white: int) -> npt.NDArray[np.uint8]:
    """Scale values from 0 to `white` to 8 bits. Raises ImageError for a value above."""
    high = int(values.max(initial=0))
    if high > white:
        raise ImageError(
            f"it has the value {high}, and {white} counts as white here: save it in the range of the others"
        )
    scaled: npt.NDArray[np.uint8] = np.rint(np.arange(high + 1) * 255 / white).astype(np.uint8)[values]
    return scaled


def _eight_bits(image: "Image.Image", white: int) -> "Image.Image":
    from PIL import Image

    if is_deep(image):
        grey = eight_bits_of(deep_values(image), white)
        # Pillow inverts such images of 8 bits by itself, and none of 16.
        is_inverted = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO
        return Image.fromarray(255 - grey if is_inverted else grey)
    image.info.pop("transparency", None)
    mode = "L" if image.mode in _GREY_MODES else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _orientation(image: "Image.Image") -> object:
    """Return how a loaded image lies, as its file states it. Damaged metadata states nothing.

    Pillow has turned a TIFF by then, and its statement is gone.
    """
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - Pillow raises many kinds of errors for it
        return None


def _turned(image: "Image.Image", orientation: object) -> "Image.Image":
    from PIL import Image

    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(Image.Transpose[turn])
