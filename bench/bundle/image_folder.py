"""Gives image files the size that a network takes. Sizes follow timm's and torchvision's rounding.

user_files/decoding.py reads the files. Pillow is imported only when an image is read, because a device
without it can still measure.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.bundle.found_images import images_in
from bench.bundle.input_arrays import Pixels
from bench.bundle.input_preprocessing import PlainInterpolation, Preprocess
from bench.errors import InputError, MissingRuntimeError
from bench.install_command import install_command
from user_files.bits_in_use import BitsInUse, bits_in_use, facts_of
from user_files.decoding import ImageError, read_upright

if TYPE_CHECKING:
    from PIL import Image

# 224 ÷ (224 ÷ 232) is a little less than 232.
_ROUNDING = 1e-6

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class ListedFolder:
    """The images of a folder that are used."""

    folder: Path
    """The folder."""
    files: tuple[Path, ...]
    """Their files."""
    total: int
    """How many images the folder has, of which these are spread evenly."""
    warnings: tuple[str, ...] = ()
    """Which files were left out: sentences."""


@dataclass(frozen=True)
class ImageFolder:
    """The images of a folder, of a network's size."""

    files: tuple[Path, ...]
    """Where each image came from."""
    images: Pixels
    """All images: [count, height, width] for a network that takes grey, else with 3 more, in RGB."""
    labels: tuple[str, ...] | None
    """The class of each image: the name of its folder; None if images lie in the folder itself."""
    total: int
    """How many images the folder has, of which these are spread evenly."""
    warnings: tuple[str, ...] = ()
    """Which files were left out: sentences."""


def list_images(folder: Path, most: int | None = None) -> ListedFolder:
    """List `most` images in and below a folder, spread evenly in the order of their paths; None: all.

    Raises InputError if there is none.
    """
    found = images_in(folder)
    every = tuple(file.path for file in found.images)
    files = every if most is None or len(every) <= most else _spread(every, most)
    if not files:
        raise InputError(f"{folder}: contains no image{found.left_out}; give a folder with images")
    return ListedFolder(folder, files, len(every), found.warnings)


def load_images(listed: ListedFolder, preprocess: Preprocess) -> ImageFolder:
    """Read listed images.

    Raises InputError if a file is no image; MissingRuntimeError without Pillow.
    """
    images = np.stack([read_image(path, preprocess) for path in listed.files])
    relative = [path.relative_to(listed.folder) for path in listed.files]
    is_labelled = all(len(path.parts) > 1 for path in relative)
    labels = tuple(path.parts[0] for path in relative) if is_labelled else None
    return ImageFolder(listed.files, images, labels, listed.total, listed.warnings)


def _spread(files: Sequence[Path], most: int) -> tuple[Path, ...]:
    """Return `most` files at even distances; the first ones would be of one class, in folders of classes."""
    return tuple(files[index * len(files) // most] for index in range(most))


def read_image(path: Path, preprocess: Preprocess) -> Pixels:
    """Return an image file in the network's size: grey, or RGB whatever the network's order is."""
    return sized_image(str(path), _decoded(path, preprocess), preprocess)


def mode_of(preprocess: Preprocess) -> Literal["L", "RGB"]:
    """Return Pillow's name of the kind of image that a network takes: grey, or with colours."""
    return "L" if preprocess.channels == "grey" else "RGB"


def sized_image(where: str, image: "Image.Image", preprocess: Preprocess) -> Pixels:
    """Return a decoded image, which has the mode of the network already, in the network's size.

    `where` names the image in the message of an InputError: a size that is not resized must be right.
    """
    height, width = preprocess.size
    if preprocess.resize == "none":
        if image.size != (width, height):
            raise InputError(
                f"{where}: has {image.width}×{image.height} pixels, and the preprocessing resizes nothing;"
                f" give images of {width}×{height} pixels, or state another 'resize'"
            )
        return np.asarray(image)
    scaled = _scaled(image, scaled_size((image.height, image.width), preprocess), preprocess)
    return _placed(np.asarray(scaled), preprocess)


def _decoded(path: Path, preprocess: Preprocess) -> "Image.Image":
    try:
        image = read_upright(path, preprocess.sixteen_bit_white, preprocess.orientation == "applied")
    except ImportError as error:
        raise _no_pillow(error) from None
    except ImageError as error:
        raise InputError(
            f"{path}: cannot be read as an image: {error}; replace it, or move it away"
        ) from None
    mode = mode_of(preprocess)
    return image if image.mode == mode else image.convert(mode)


def survey_of(files: Iterable[Path]) -> BitsInUse:
    """Return which value is white in the 16-bit images among files, and what else is remarkable."""
    try:
        return bits_in_use(map(facts_of, files))
    except ImportError as error:
        raise _no_pillow(error) from None


def _no_pillow(error: ImportError) -> MissingRuntimeError:
    install = install_command("report")
    return MissingRuntimeError(
        f"images need Pillow, which is missing here ({error}); install it with: {install}"
    )


def uncut_size(preprocess: Preprocess) -> Size:
    """Return the height and width to which an image is resized, of which the input's size is cut out."""
    height, width = (math.floor(edge / preprocess.crop_pct + _ROUNDING) for edge in preprocess.size)
    return height, width


def scaled_size(source: Size, preprocess: Preprocess) -> Size:
    """Return height and width of a resized image, before it is cut or gets borders."""
    target = uncut_size(preprocess)
    if preprocess.resize == "squash":
        return target
    if preprocess.resize == "crop" and target[0] == target[1]:
        return _by_shorter_edge(source, target[0])
    ratios = [edge / wanted for edge, wanted in zip(source, target, strict=True)]
    ratio = min(ratios) if preprocess.resize == "crop" else max(ratios)
    height, width = (max(1, round(edge / ratio)) for edge in source)
    return height, width


def _by_shorter_edge(source: Size, edge: int) -> Size:
    height, width = source
    if height < width:
        return edge, int(edge * width / height)
    return int(edge * height / width), edge


def _scaled(image: "Image.Image", size: Size, preprocess: Preprocess) -> "Image.Image":
    from PIL import Image

    filtering = Image.Resampling[preprocess.interpolation.upper()]
    height, width = size
    if preprocess.antialias or preprocess.interpolation not in PlainInterpolation:
        return image.resize((width, height), filtering)
    box = (0, 0, image.width, image.height)
    return image.transform((width, height), Image.Transform.EXTENT, box, filtering)


def _placed(pixels: Pixels, preprocess: Preprocess) -> Pixels:
    """Cut out the middle of an image, or put it between borders, along each axis."""
    canvas = np.empty((*preprocess.size, *pixels.shape[2:]), dtype=np.uint8)
    canvas[...] = np.array(preprocess.pad_value, dtype=np.uint8)
    spans = [
        _span(scaled, edge, preprocess)
        for scaled, edge in zip(pixels.shape[:2], preprocess.size, strict=True)
    ]
    (rows, to_rows), (columns, to_columns) = spans
    canvas[to_rows, to_columns] = pixels[rows, columns]
    return canvas


def _span(scaled: int, edge: int, preprocess: Preprocess) -> tuple[slice, slice]:
    """Return which pixels of the resized image go where in the input."""
    if scaled >= edge:
        start = 0 if preprocess.resize == "fit" else round((scaled - edge) / 2)
        return slice(start, start + edge), slice(0, edge)
    start = 0 if preprocess.resize == "fit" else (edge - scaled) // 2
    return slice(0, scaled), slice(start, start + scaled)
