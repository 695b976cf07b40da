"""How an image becomes the input of any network, with timm's names for the keys. It reads no file and no
image.

`PreprocessingRecord` (preprocessing.py) is what the manifests of edgefit's own bundles hold. Its JSON names
the same facts otherwise (`size`, `divide_by`, `channels: 3`), and it cannot say crop, letterbox or BGR. So
there are two records, and `preprocess_of` converts the narrow one into this one without a loss that changes
an 8-bit image.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bench.bundle.preprocessing import PreprocessingRecord
from bench.record import Record
from user_files.decoding import FULL_WHITE

ChannelOrder = Literal["rgb", "bgr", "grey"]
Resize = Literal["squash", "crop", "letterbox", "fit", "none"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]
PlainInterpolation = ("nearest", "bilinear", "bicubic")
"""The interpolations that exist without antialiasing."""
Positive = Annotated[float, Field(gt=0)]
PadValue = Annotated[int, Field(ge=0, le=255)]

CROP_MODES: Mapping[str, Resize] = {"center": "crop", "squash": "squash", "border": "letterbox"}
"""timm's words of its key `crop_mode`."""

UNIT_SCALE = 1 / 255
"""The scale that makes 8-bit values those from 0 to 1."""


class Preprocess(Record):
    """What becomes of an image: it gets 8 bits, is resized, scaled, then normalised channel by channel."""

    orientation: Literal["applied", "ignored"] = "ignored"
    """What becomes of the orientation that a file states; versions that wrote no such key ignored it."""
    sixteen_bit_white: int = Field(default=FULL_WHITE, ge=255, le=FULL_WHITE)
    """The value that counts as white in an image of 16 bits: it becomes the 255 of 8 bits.

    65535 if missing. Images that use 12 of the 16 bits have 4095.
    """
    input_size: tuple[int, int, int]
    """Channels, height and width of the input, in this order for any layout; the last two in pixels."""
    resize: Resize
    """How an image gets the size.

    `squash`: width and height change apart, the aspect ratio is lost. `crop`: the aspect ratio is kept, the
    image covers the size, and its middle is cut out. `letterbox`: the aspect ratio is kept, the whole image
    is inside, and borders are added on both sides. `fit`: the same with borders at the right and the bottom
    alone. `none`: an image must have the size.
    """
    crop_pct: float = Field(default=1.0, gt=0, le=1)
    """The input's edge ÷ the edge to which an image is resized before its middle is cut out."""
    interpolation: Interpolation = "bilinear"
    """How pixels are interpolated, by Pillow's names."""
    antialias: bool = True
    """Whether a smaller image is averaged from all pixels of the larger one: Pillow does, OpenCV does not."""
    pad_value: tuple[PadValue, ...] = Field(default=(0,), min_length=1)
    """The 8-bit value of added borders: one for all channels, or red, green and blue."""
    scale: float = Field(default=UNIT_SCALE, gt=0)
    """By what each 8-bit value is multiplied first; 0.00392… (1/255) makes values from 0 to 1."""
    mean: tuple[float, ...]
    """What is then subtracted from each channel, in scaled values and in the order of `channels`."""
    std: tuple[Positive, ...]
    """By what each channel is then divided, in scaled values and in the order of `channels`."""
    channels: ChannelOrder
    """The order of the channels that the network takes: `rgb`, `bgr`, or `grey` for one channel."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Preprocess":
        count = self.input_size[0]
        if min(self.input_size) < 1:
            raise ValueError(f"input_size {list(self.input_size)} must be channels, height and width above 0")
        if count != (1 if self.channels == "grey" else 3):
            raise ValueError(f"input_size has {count} channels, and channels is {self.channels}")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != count:
                raise ValueError(f"{name} has {len(values)} values for {count} channels")
        if len(self.pad_value) not in (1, count):
            raise ValueError(f"pad_value has {len(self.pad_value)} values for {count} channels")
        if not self.antialias and self.interpolation not in PlainInterpolation:
            raise ValueError(f"{self.interpolation} is always antialiased; set antialias to true")
        return self

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the input in pixels."""
        return self.input_size[1:]

    @property
    def words(self) -> str:
        """The steps in words, for people."""
        height, width = self.size
        cut = f", {self.crop_pct:g} of it in the middle" if self.crop_pct < 1 else ""
        values = [f"times {self.scale:.6g}"] if self.scale != 1 else []
        values += [f"minus {_listed(self.mean)}"] if any(self.mean) else []
        values += [f"divided by {_listed(self.std)}"] if any(value != 1 for value in self.std) else []
        sized = f"{self.resize} to {width}×{height} pixels{cut}, {self.interpolation}"
        eight_bits = f"{sized}; {self.channels}; 8-bit values {', '.join(values) or 'as they are'}"
        return f"{_first_steps(self)}{eight_bits}"


def _first_steps(preprocess: Preprocess) -> str:
    """Return in words what makes 8 bits of a file, as far as it is not what always was done."""
    steps = ["turned upright"] if preprocess.orientation == "applied" else []
    white = preprocess.sixteen_bit_white
    steps += [f"{white} of 16 bits is white"] if white != FULL_WHITE else []
    return "".join(f"{step}; " for step in steps)


def _listed(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.6g}" for value in dict.fromkeys(values))


def preprocess_of(record: PreprocessingRecord) -> Preprocess:
    """Return what a manifest says of preprocessing. Transparency is always ignored."""
    return Preprocess(
        orientation=record.orientation,
        sixteen_bit_white=min(record.sixteen_bit_white, FULL_WHITE),
        input_size=(record.channels, *record.size),
        resize=record.resize,
        interpolation=record.interpolation,
        antialias=record.antialias,
        scale=1 / record.divide_by,
        mean=record.mean,
        std=record.std,
        channels="grey" if record.channels == 1 else "rgb",
    )
