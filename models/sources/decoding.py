"""Decodes image files to uint8 pixels of one size, in parallel. It knows no classes and no splits."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from models.dataset import Images
from models.progress import Progress
from models.resizing import resize
from user_files.bits_in_use import BitsInUse, ImageFacts, bits_in_use, facts_of
from user_files.decoding import FULL_WHITE, ImageError, read_upright

_GREY_AXES = 2

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Decoded:
    """Images that were decoded, and those that could not be."""

    images: Images
    """uint8 [n, side, side], or [n, side, side, 3] if one image has colour; bad images are black."""
    bad: tuple[tuple[int, str], ...]
    """The index of each bad image, and the reason."""


def decode_image(path: Path, side: int, white: int = FULL_WHITE) -> Images:
    """Return uint8 [side, side] for a grey image, even if it was saved in colour, otherwise [side, side, 3].

    `white`: the value that counts as white in images of 16 bits. Raises ImageError.
    """
    pixels = np.asarray(resize(read_upright(path, white), side))
    return pixels if pixels.ndim == _GREY_AXES else _without_false_colour(pixels)


def _without_false_colour(pixels: Images) -> Images:
    first = pixels[..., 0]
    is_grey = np.array_equal(first, pixels[..., 1]) and np.array_equal(first, pixels[..., 2])
    return np.ascontiguousarray(first) if is_grey else pixels


def survey(paths: Sequence[Path], progress: Progress) -> BitsInUse:
    """Return which value is white in the files of a data set, and what else is remarkable, on all cores."""
    progress.begin("Checking images", len(paths))
    facts = []
    for fact in _on_all_cores(_facts, paths):
        facts.append(fact)
        progress.advance()
    return bits_in_use(facts)


def _facts(path: Path) -> ImageFacts:
    # A pipe must not be opened: reading it would wait for ever.
    return facts_of(path) if path.is_file() else ImageFacts(path.name)


def decode_all(paths: Sequence[Path], side: int, progress: Progress, white: int = FULL_WHITE) -> Decoded:
    """Decode every file, on all cores; a file that cannot be decoded stays black and is listed in `bad`."""
    progress.begin("Reading images", len(paths))
    images: Images = np.zeros((len(paths), side, side), np.uint8)
    bad: list[tuple[int, str]] = []
    for index, result in enumerate(_on_all_cores(lambda path: _try_to_decode(path, side, white), paths)):
        if isinstance(result, str):
            bad.append((index, result))
        else:
            images = _put(images, index, result)
        progress.advance()
    return Decoded(images, tuple(bad))


def _on_all_cores(act: Callable[[Path], _Result], paths: Sequence[Path]) -> Iterator[_Result]:
    pool = ThreadPoolExecutor()
    try:
        yield from pool.map(act, paths)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _try_to_decode(path: Path, side: int, white: int) -> Images | str:
    """Return the pixels, or why there are none."""
    if not path.is_file():
        # A pipe must not be opened: reading it would wait for ever.
        return "it is a broken link" if path.is_symlink() else "it is not a regular file"
    try:
        return decode_image(path, side, white)
    except ImageError as error:
        return str(error)


def _put(images: Images, index: int, image: Images) -> Images:
    """Store one image. The first image in colour gives all of them three channels."""
    if image.ndim == 3 and images.ndim == 3:
        images = np.repeat(images[..., np.newaxis], 3, axis=3)
    images[index] = image[..., np.newaxis] if image.ndim < images.ndim - 1 else image
    return images
