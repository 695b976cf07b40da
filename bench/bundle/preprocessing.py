"""How an image file becomes a network's input, as the manifest holds it. It reads no image.

The example that goes out with a shipped artifact is written from this record.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from bench.record import Record

_WHITE = 255


class PreprocessingRecord(Record):
    """What stands between an image file and the network's float32 NCHW input. The steps are in this order."""

    orientation: Literal["applied", "ignored"] = "ignored"
    """What becomes of the orientation that a file states; versions that wrote no such key ignored it."""
    sixteen_bit_divide_by: float = Field(gt=0)
    """A 16-bit value is divided by this first, so that the one that counts as white becomes 255.

    257 makes 65535 white. Images that use 12 of the 16 bits are divided by 4095 ÷ 255.
    """
    transparency: Literal["ignored"]
    """What becomes of an alpha channel."""
    resize: Literal["squash"]
    """How the image gets the size: `squash` changes width and height alone, whatever the aspect ratio was."""
    size: tuple[int, int]
    """Height and width of the input in pixels."""
    interpolation: Literal["nearest", "bilinear", "bicubic"]
    """How pixels are interpolated, by Pillow's names."""
    antialias: Literal[True]
    """Whether a smaller image is averaged from all pixels of the larger one, as Pillow does it."""
    channels: Literal[1, 3]
    """The channels of the input: 3 are RGB, and a grey image is repeated in them; 1 is grey."""
    divide_by: float = Field(gt=0)
    """An 8-bit value is divided by this; 255 makes values in [0, 1]."""
    mean: tuple[float, ...]
    """What is then subtracted from each channel; 0 where the network normalises by itself."""
    std: tuple[float, ...]
    """By what each channel is then divided; 1 where the network normalises by itself."""

    @model_validator(mode="after")
    def _fits_together(self) -> "PreprocessingRecord":
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.channels:
                raise ValueError(f"{name} has {len(values)} values for {self.channels} channels")
        if min(self.size) < 1 or min(self.std) <= 0:
            raise ValueError("size and std must be greater than 0")
        return self

    @property
    def is_normalised(self) -> bool:
        """Whether mean and std change anything."""
        return any(self.mean) or any(value != 1 for value in self.std)

    @property
    def is_unit_rgb(self) -> bool:
        """Whether the input is RGB in [0, 1], which is what edgefit gives the networks that it measures."""
        return self.channels == 3 and self.divide_by == 255 and not self.is_normalised

    @property
    def sixteen_bit_white(self) -> int:
        """The value that counts as white in an image of 16 bits."""
        return round(self.sixteen_bit_divide_by * _WHITE)

    @property
    def words(self) -> str:
        """The steps in words, for people."""
        height, width = self.size
        grey = "grey repeated in three channels" if self.channels == 3 else "colours made grey"
        sixteen_bit = self.sixteen_bit_divide_by * self.divide_by
        upright = "Turn it upright; resize" if self.orientation == "applied" else "Resize"
        normalised = f", minus {list(self.mean)}, divided by {list(self.std)}" if self.is_normalised else ""
        return (
            f"{upright} to {width}×{height} pixels, aspect ratio not kept, {self.interpolation}, antialiased "
            f"(Pillow); {grey}, transparency {self.transparency}; 8-bit values divided by "
            f"{self.divide_by:g}, 16-bit values by {sixteen_bit:g}{normalised}"
        )


class StatedPreprocessing(Record):
    """The same in a bundle of schema 1, where it was three sentences, if edgefit did not write them."""

    resize: str
    """How the image gets its size."""
    grey_to_rgb: str
    """How a grey image gets its channels."""
    scale: str
    """How values are scaled."""

    @property
    def words(self) -> str:
        """The steps in words, for people."""
        return f"Resize {self.resize}; grey {self.grey_to_rgb}; {self.scale}"


def unit_rgb(side: int) -> PreprocessingRecord:
    """Return what edgefit does to its own networks' images: square, RGB in [0, 1], bilinear."""
    return PreprocessingRecord(
        sixteen_bit_divide_by=257,
        transparency="ignored",
        resize="squash",
        size=(side, side),
        interpolation="bilinear",
        antialias=True,
        channels=3,
        divide_by=255,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
    )


def kind_of_preprocessing(value: Any) -> str:
    """Return whether a value is a record or what schema 1 stated, for pydantic."""
    if isinstance(value, dict):
        return "stated" if "grey_to_rgb" in value else "any" if "input_size" in value else "record"
    if isinstance(value, StatedPreprocessing):
        return "stated"
    return "record" if isinstance(value, PreprocessingRecord) else "any"
