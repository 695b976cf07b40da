"""Decodes image files to uint8 pixels of one size, in parallel. It knows no classes and no splits."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from models.dataset import Images
from models.errors import InputError
from models.progress import Progress
from models.resizing import resize
from user_files.bits_in_use import BitsInUse, ImageFacts, bits_in_use, facts_of
from user_files.decoding import FULL_WHITE, NO_MEMORY, ImageError, read_upright
from user_files.free_memory import available_bytes
from user_files.printable import printable

_GREY_AXES, _COLOUR_AXES = 2, 3
# Twice as many as a large machine has threads, so that no core waits for the one image that takes long.
_MOST_WAITING = 128

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


def decode_all(
    paths: Sequence[Path],
    side: int,
    progress: Progress,
    white: int = FULL_WHITE,
    available_bytes: Callable[[], int] = available_bytes,
) -> Decoded:
    """Decode every file, on all cores; a file that cannot be decoded stays black and is listed in `bad`.

    Raises InputError if there is too little memory for all of them.
    """
    _refuse_too_many(paths, side, available_bytes())
    progress.begin("Reading images", len(paths))
    images: Images = np.zeros((len(paths), side, side), np.uint8)
    bad: list[tuple[int, str]] = []
    for index, result in enumerate(_on_all_cores(lambda path: _try_to_decode(path, side, white), paths)):
        if isinstance(result, str):
            bad.append((index, result))
        else:
            if result.ndim == _COLOUR_AXES and images.ndim == _COLOUR_AXES:
                _refuse_too_many(paths, side, available_bytes(), paths[index])
                images = _with_colour(images, index)
            images[index] = result[..., np.newaxis] if result.ndim < images.ndim - 1 else result
        progress.advance()
    return Decoded(images, tuple(bad))


def _refuse_too_many(
    paths: Sequence[Path], side: int, available_bytes: int, coloured: Path | None = None
) -> None:
    """Raise InputError if the images take more memory than there is; `coloured`: an image that has colour."""
    needed = len(paths) * side * side * (1 if coloured is None else 3)
    if needed <= available_bytes:
        return
    where, remedy = "", ""
    if coloured is not None:
        where, remedy = f"{printable(str(coloured))} has colour, and so ", ", save all images in grey"
    raise InputError(
        f"{where}{len(paths)} images of {side}×{side} pixels take {needed / 1e9:.1f} GB of memory, and "
        f"{available_bytes / 1e9:.1f} GB are free: choose a smaller --image-size{remedy}, or "
        "give fewer images"
    )


def _with_colour(images: Images, count: int) -> Images:
    """Return grey images with three channels. The first `count` are copied; the others are black."""
    coloured: Images = np.zeros((*images.shape, 3), np.uint8)
    coloured[:count] = images[:count, ..., np.newaxis]
    return coloured


def _on_all_cores(act: Callable[[Path], _Result], paths: Sequence[Path]) -> Iterator[_Result]:
    """Yield the results in order; few are waiting, though the first one may take longer than all others."""
    pool = ThreadPoolExecutor()
    waiting: deque[Future[_Result]] = deque()
    try:
        for path in paths:
            waiting.append(pool.submit(act, path))
            if len(waiting) >= _MOST_WAITING:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
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
    except MemoryError:
        return NO_MEMORY
