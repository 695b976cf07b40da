"""Decodes image files to uint8 pixels of one size, in parallel. It knows no classes and no splits."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from models.dataset import Images
from models.progress import Progress
from models.resizing import from_16_bit, resize, to_8_bit

GREY_MODES = frozenset(("1", "L", "LA", "La"))
# A JPEG is decoded at the smallest of its scales that is at least this many times the requested size, as
# PIL's own thumbnail does. That is several times faster, and differs by about one grey level after resizing.
DRAFT_GAP = 2


@dataclass(frozen=True)
class Decoded:
    """Images that were decoded, and those that could not be."""

    images: Images
    """uint8 [n, side, side], or [n, side, side, 3] if one image has colour; bad images are black."""
    bad: tuple[tuple[int, str], ...]
    """The index of each bad image, and the reason."""


def decode_image(path: Path, side: int) -> Images:
    """Return uint8 [side, side] for a grey image, even if it was saved in colour, otherwise [side, side, 3].

    16-bit grey is divided by 65535, transparency is ignored, and the first frame is used. Raises OSError,
    ValueError and whatever else PIL raises for a file that is truncated, not an image, or of unknown range.
    """
    with Image.open(path) as image:
        image.draft(None, (DRAFT_GAP * side, DRAFT_GAP * side))
        image.load()
        if image.mode.startswith(("I", "F")):
            return _decode_deep(image, side)
        if image.mode in GREY_MODES:
            return np.asarray(resize(image.convert("L"), side))
        return _without_false_colour(np.asarray(resize(image.convert("RGB"), side)))


def _decode_deep(image: Image.Image, side: int) -> Images:
    pixels = np.asarray(image)
    if pixels.dtype.kind not in "iu" or pixels.min() < 0 or pixels.max() > np.iinfo(np.uint16).max:
        raise ValueError(
            f"mode {image.mode} has values from {pixels.min()} to {pixels.max()}, not from 0 to 65535"
        )
    scaled = Image.fromarray(from_16_bit(pixels.astype(np.uint16)))
    return to_8_bit(np.asarray(resize(scaled, side)))


def _without_false_colour(pixels: Images) -> Images:
    first = pixels[..., 0]
    is_grey = np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2])
    return np.ascontiguousarray(first) if is_grey else pixels


def decode_all(paths: Sequence[Path], side: int, progress: Progress) -> Decoded:
    """Decode every file, on all cores; a file that cannot be decoded stays black and is listed in `bad`."""
    progress.begin("Reading images", len(paths))
    images: Images = np.zeros((len(paths), side, side), np.uint8)
    bad: list[tuple[int, str]] = []
    pool = ThreadPoolExecutor()
    try:
        for index, result in enumerate(pool.map(lambda path: _try_to_decode(path, side), paths)):
            if isinstance(result, str):
                bad.append((index, result))
            else:
                images = _put(images, index, result)
            progress.advance()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return Decoded(images, tuple(bad))


def _try_to_decode(path: Path, side: int) -> Images | str:
    """Return the pixels, or why there are none. PIL raises many kinds of errors for a broken file."""
    if not path.is_file():
        # A pipe must not be opened: reading it would wait for ever.
        return "it is a broken link" if path.is_symlink() else "it is not a regular file"
    try:
        return decode_image(path, side)
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
    ) as error:
        return str(error) or type(error).__name__
    except Image.DecompressionBombError as error:
        return str(error)


def _put(images: Images, index: int, image: Images) -> Images:
    """Store one image. The first image in colour gives all of them three channels."""
    if image.ndim == 3 and images.ndim == 3:
        images = np.repeat(images[..., np.newaxis], 3, axis=3)
    images[index] = image[..., np.newaxis] if image.ndim < images.ndim - 1 else image
    return images
