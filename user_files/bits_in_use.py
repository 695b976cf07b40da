"""How bright the 16-bit images of a data set are, and which value counts as white in all of them.

Scanners fill 10, 12 or 14 of the 16 bits of a file; with 65535 as white such images are all but black.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

import numpy as np

from user_files.decoding import (
    FULL_WHITE,
    ImageError,
    deep_values,
    has_deep_colours,
    is_deep,
    opened_image,
)
from user_files.wording import counted

_FEWEST_BITS, _MOST_BITS = 8, 16
_BYTE_TO_DEEP = 257
# An image that uses so many bits fewer than the brightest one has at most about an eighth of its brightness.
_FAR_FEWER_BITS = 3


@dataclass(frozen=True)
class ImageFacts:
    """What is known of an image before it is decoded for use."""

    name: str
    """What it is called in sentences."""
    brightest: int | None = None
    """Its highest value, if it has 16 bits; None if it has 8, or cannot be read."""
    pictures: int = 1
    """How many pictures its file holds: frames, or pages."""


def facts_of(path: Path) -> ImageFacts:
    """Return what is known of an image file. Of one that cannot be read nothing is: decoding says why."""
    try:
        with opened_image(path) as image:
            # The second picture of a photograph in MPO is for stereo viewers.
            pictures = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            if has_deep_colours(image):
                upper_bits = int(np.asarray(image.convert("RGB")).max())
                return ImageFacts(str(path), upper_bits * _BYTE_TO_DEEP, pictures)
            if not is_deep(image):
                return ImageFacts(str(path), None, pictures)
            return ImageFacts(str(path), int(deep_values(image).max()), pictures)
    except ImageError:
        return ImageFacts(str(path))


@dataclass(frozen=True)
class BitsInUse:
    """What the images of a data set have in common."""

    white: int
    """The value that counts as white in all images of 16 bits: the highest one of the bits in use."""
    notes: tuple[str, ...] = ()
    """Why it does: sentences."""
    white_warnings: tuple[str, ...] = ()
    """What is probably not meant so if it does: sentences."""
    other_warnings: tuple[str, ...] = ()
    """What is probably not meant so, whichever value is white: sentences."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """All that is probably not meant so."""
        return (*self.white_warnings, *self.other_warnings)


def bits_in_use(facts: Iterable[ImageFacts]) -> BitsInUse:
    """Return which value is white: the highest of as few bits, from 8 to 16, as hold the brightest value."""
    every = list(facts)
    deep = {fact.name: fact.brightest for fact in every if fact.brightest is not None}
    if not deep:
        return BitsInUse(FULL_WHITE, other_warnings=_on_pictures(every))
    name = max(deep, key=lambda key: deep[key])
    white = 2 ** _bits(deep[name]) - 1
    return BitsInUse(
        white,
        notes=_on_white(deep, name, white),
        white_warnings=_on_dark_images(deep, name),
        other_warnings=_on_pictures(every),
    )


def _bits(value: int) -> int:
    return min(_MOST_BITS, max(_FEWEST_BITS, value.bit_length()))


def _on_white(deep: Mapping[str, int], name: str, white: int) -> tuple[str, ...]:
    if white == FULL_WHITE:
        return ()
    note = (
        f"The brightest value of {len(deep)} 16-bit images is {deep[name]}: they use {_bits(white)} bits, so "
        f"{white} counts as white in all of them."
    )
    return (note,)


def _on_dark_images(deep: Mapping[str, int], name: str) -> tuple[str, ...]:
    """Say that one image is so bright that half of them are nearly black."""
    typical = median_low(deep.values())
    if _bits(typical) > _bits(deep[name]) - _FAR_FEWER_BITS:
        return ()
    note = (
        f"Of {len(deep)} 16-bit images half have no value above {typical}, and {name} has {deep[name]}, so "
        "they are nearly black. If that is a burnt-in mark or another device, save all in one range."
    )
    return (note,)


def _on_pictures(facts: Sequence[ImageFacts]) -> tuple[str, ...]:
    several = [fact for fact in facts if fact.pictures > 1]
    if not several:
        return ()
    hold = counted(len(several), "file holds", "files hold")
    example = f"{several[0].name}: {several[0].pictures}"
    return (f"{hold} several pictures ({example}); the first of each is used.",)
