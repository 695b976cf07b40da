"""Reads image files as a network takes them, with Pillow. Sizes follow timm's and torchvision's rounding.

Pillow is imported only when an image is read, because a device without it can still measure. Transparency is
ignored, and a 16-bit value is divided by 257, as for edgefit's own networks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.bundle.found_images import images_in
from bench.bundle.input_arrays import Pixels
from bench.bundle.input_preprocessing import PlainInterpolation, Preprocess
from bench.errors import InputError, MissingRuntimeError
from bench.install_command import install_command

if TYPE_CHECKING:
    from PIL import Image

_SIXTEEN_BIT_DIVIDE_BY = 257
# 224 ÷ (224 ÷ 232) is a little less than 232.
_ROUNDING = 1e-6

Size = tuple[int, int]
"""Height and width."""


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


def load_images(folder: Path, preprocess: Preprocess, most: int | None = None) -> ImageFolder:
    """Read `most` images in and below a folder, spread evenly in the order of their paths; None: all.

    Raises InputError if there is none, or if a file is no image; MissingRuntimeError without Pillow.
    """
    found = images_in(folder)
    every = tuple(file.path for file in found.images)
    files = every if most is None or len(every) <= most else _spread(every, most)
    if not files:
        raise InputError(f"{folder}: contains no image{found.left_out}; give a folder with images")
    images = np.stack([read_image(path, preprocess) for path in files])
    relative = [path.relative_to(folder) for path in files]
    is_labelled = all(len(path.parts) > 1 for path in relative)
    labels = tuple(path.parts[0] for path in relative) if is_labelled else None
    return ImageFolder(files, images, labels, len(every), found.warnings)


def _spread(files: Sequence[Path], most: int) -> tuple[Path, ...]:
    """Return `most` files at even distances; the first ones would be of one class, in folders of classes."""
    return tuple(files[index * len(files) // most] for index in range(most))


def read_image(path: Path, preprocess: Preprocess) -> Pixels:
    """Return an image file in the network's size: grey, or RGB whatever the network's order is."""
    return sized_image(str(path), _decoded(path, mode_of(preprocess)), preprocess)


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


def _decoded(path: Path, mode: str) -> "Image.Image":
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingRuntimeError(
            f"images need Pillow, which is missing here ({error}); install it with:"
            f" {install_command('report')}"
        ) from None
    try:
        with Image.open(path) as image:
            if not image.mode.startswith("I"):
                converted: Image.Image = image.convert(mode)
                return converted
            values = np.asarray(image).astype(np.float64) / _SIXTEEN_BIT_DIVIDE_BY
            grey: Image.Image = Image.fromarray(np.rint(values.clip(0, 255)).astype(np.uint8))
            return grey.convert(mode)
    # Pillow raises many kinds of errors for a broken file.
    except Exception as error:  # noqa: BLE001
        raise InputError(
            f"{path}: cannot be read as an image ({error}); replace it, or move it away"
        ) from None


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
