"""What one source says about preprocessing, and when two sources say the same. It reads nothing.

Values that mean something only together are one part: scale, mean and std; or all that decides about pixels.
So the mean of one tool is never joined to the scale of another. A mean and a std keep the order of the
channels that they are given in, which may not be the network's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isclose
from typing import Literal

from pydantic import ConfigDict

from bench.bundle.input_preprocessing import UNIT_SCALE, ChannelOrder, Interpolation, Resize
from user_files.checked_record import CheckedRecord

# How far two sources may differ in an input value, relative to the range of all 8-bit values.
_TOLERANCE = 1e-3


class ForeignRecord(CheckedRecord):
    """What edgefit reads of another tool's file: keys that it does not know are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Unsupported:
    """A source states something that edgefit cannot do."""

    reason: str
    """What it states, as the rest of a sentence that begins with the source's name."""


@dataclass(frozen=True)
class Numbers:
    """What becomes of values: `(value × scale − mean) ÷ std`, as in Preprocess."""

    scale: float
    """By what each 8-bit value is multiplied first."""
    mean: tuple[float, ...]
    """What is then subtracted; one value, or one for each channel."""
    std: tuple[float, ...]
    """By what is then divided; one value, or one for each channel."""
    channels: ChannelOrder | None = None
    """The order of the channels in mean and std; None: that of the source, or the network's."""

    def in_order(self, channels: ChannelOrder | None, own: ChannelOrder | None = None) -> "Numbers":
        """Return the values in the order of a network's channels, so that each channel keeps its own.

        `own`: the order that their source states of its channels.
        """
        if {self.channels or own, channels} != {"rgb", "bgr"}:
            return self
        return replace(self, mean=self.mean[::-1], std=self.std[::-1], channels=channels)

    def for_channels(self, count: int) -> "Numbers | None":
        """Return one value for each channel; None if there are values for another number of channels."""
        if {len(self.mean), len(self.std)} - {1, count}:
            return None
        mean, std = (values * count if len(values) == 1 else values for values in (self.mean, self.std))
        return replace(self, mean=mean, std=std)

    def is_like(self, other: "Numbers") -> bool:
        """Whether both give the same input, whichever way they write it."""
        count = max(len(values) for values in (self.mean, self.std, other.mean, other.std))
        mine, theirs = self.for_channels(count), other.for_channels(count)
        return (
            mine is not None
            and theirs is not None
            and all(
                abs(ours - others) <= _TOLERANCE * 255 * mine.scale / std
                for value in (0, 255)
                for ours, others, std in zip(mine._of(value), theirs._of(value), mine.std, strict=True)
            )
        )

    def _of(self, value: int) -> list[float]:
        return [(value * self.scale - mean) / std for mean, std in zip(self.mean, self.std, strict=True)]

    @property
    def words(self) -> str:
        """The values, for a sentence."""
        return f"scale {self.scale:.6g}, mean {_listed(self.mean)}, std {_listed(self.std)}"


@dataclass(frozen=True)
class Geometry:
    """What becomes of pixels, as in Preprocess."""

    resize: Resize
    """How an image gets the size."""
    crop_pct: float = 1.0
    """The input's edge ÷ the edge to which an image is resized before its middle is cut out."""
    interpolation: Interpolation = "bilinear"
    """How pixels are interpolated, by Pillow's names."""
    antialias: bool = True
    """Whether a smaller image is averaged from all pixels of the larger one."""
    pad_value: tuple[int, ...] = (0,)
    """The 8-bit value of added borders."""

    def is_like(self, other: "Geometry") -> bool:
        """Whether both resize alike; antialiasing and the colour of borders are details of a tool."""
        same = (self.resize, self.interpolation) == (other.resize, other.interpolation)
        return same and isclose(self.crop_pct, other.crop_pct, rel_tol=2e-3)

    @property
    def words(self) -> str:
        """The values, for a sentence."""
        return f"resize {self.resize}, crop_pct {self.crop_pct:.6g}, interpolation {self.interpolation}"


@dataclass(frozen=True)
class Stated:
    """What one source says. Whatever it does not say is None."""

    origin: str
    """The source, for people: a file's name, `metadata in the file`, an option."""
    size: tuple[int, int] | None = None
    """Height and width in pixels."""
    geometry: Geometry | Unsupported | None = None
    """What becomes of pixels."""
    numbers: Numbers | Unsupported | None = None
    """What becomes of values."""
    channels: ChannelOrder | None = None
    """The order of the channels; `grey` for one."""
    labels: tuple[str, ...] | None = None
    """The names of the classes, in the order of the output."""
    defaulted: tuple[str, ...] = ()
    """The keys of Preprocess that the source does not state, and that `geometry` or `numbers` give their
    defaults."""
    is_default: bool = False
    """Whether the tool only does so where its file is silent. Such values fill gaps."""
    white: int | None = None
    """The value that counts as white in an image of 16 bits."""


PresetName = Literal["imagenet", "unit", "raw", "symmetric"]
PRESETS: Mapping[PresetName, Numbers] = {
    "imagenet": Numbers(UNIT_SCALE, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "rgb"),
    "unit": Numbers(UNIT_SCALE, (0.0,), (1.0,)),
    "raw": Numbers(1.0, (0.0,), (1.0,)),
    "symmetric": Numbers(UNIT_SCALE, (0.5,), (0.5,)),
}
"""The usual numbers by name: ImageNet's, 0 to 1, 0 to 255, −1 to 1."""


def _listed(values: tuple[float, ...]) -> str:
    return f"[{', '.join(f'{value:.6g}' for value in values)}]"
