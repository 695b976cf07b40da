"""Image files to uint8 pixels of one size, in parallel. It knows image files, no classes and no splits."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from models.dataset import Images
from models.errors import InputError
from models.pixels import from_16_bit, resize, to_8_bit
from models.progress import Progress

IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm", ".ppm")
)
DICOM_SUFFIXES = frozenset((".dcm", ".dicom"))
DICOM_MAGIC = b"DICM"
DICOM_MAGIC_AT = 128
GREY_MODES = frozenset(("1", "L", "LA", "La"))
# A JPEG is decoded at the smallest of its scales that is still this many times the size wanted (as PIL's own
# thumbnail does): several times faster, and after resizing within a grey level or so of the full decode.
DRAFT_GAP = 2


@dataclass(frozen=True)
class Decoded:
    """`images`: uint8 [n, side, side], or [n, side, side, 3] if one has colour; `bad`: (index, reason)."""

    images: Images
    bad: tuple[tuple[int, str], ...]


def is_dicom(path: Path) -> bool:
    """True by the suffix or by the mark every DICOM file carries; pipes and dead links are not opened."""
    if path.suffix.lower() in DICOM_SUFFIXES:
        return True
    if not path.is_file():
        return False
    with path.open("rb") as file:
        file.seek(DICOM_MAGIC_AT)
        return file.read(len(DICOM_MAGIC)) == DICOM_MAGIC


def decode_image(path: Path, side: int) -> Images:
    """uint8 [side, side] where the image is grey, also when it was saved in colour, else [side, side, 3].

    16-bit grey is divided by 65535, transparency is ignored, the first frame taken. Raises OSError,
    ValueError and what else PIL raises on a file that is cut short, no image or of unknown range.
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
            f"mode {image.mode} with values from {pixels.min()} to {pixels.max()}, not 0 to 65535"
        )
    scaled = Image.fromarray(from_16_bit(pixels.astype(np.uint16)))
    return to_8_bit(np.asarray(resize(scaled, side)))


def _without_false_colour(pixels: Images) -> Images:
    first = pixels[..., 0]
    is_grey = np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2])
    return np.ascontiguousarray(first) if is_grey else pixels


def decode_all(paths: Sequence[Path], side: int, progress: Progress) -> Decoded:
    """Every file on all cores; what does not decode is left black and named in `bad`."""
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
    """The pixels, or why there are none. PIL's readers raise many kinds of error on a broken file."""
    if not path.is_file():
        # A pipe must not be opened: reading it would wait for ever.
        return "its link leads nowhere" if path.is_symlink() else "not a regular file"
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
    """Store one image; the first that has colour gives all of them three channels."""
    if image.ndim == 3 and images.ndim == 3:
        images = np.repeat(images[..., np.newaxis], 3, axis=3)
    images[index] = image[..., np.newaxis] if image.ndim < images.ndim - 1 else image
    return images


def refuse_dicom(path: Path) -> None:
    """Raise an InputError if the file is DICOM."""
    if is_dicom(path):
        raise InputError(f"{path}: DICOM is out of scope; convert the images to PNG (8 or 16 bits) first")
