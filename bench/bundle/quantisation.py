"""Integers that stand for floats, by a scale and a zero point, as quantised files use them. Pure."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from bench.record import Record

# A file's range was found on calibration images: values that are a little outside of it saturate.
_MOST_OUTSIDE = 0.1


class Quantisation(Record):
    """How the integers of a tensor stand for floats: (integer − zero_point) × scale."""

    scale: float = Field(gt=0, allow_inf_nan=False)
    """The difference of two floats whose integers follow each other."""
    zero_point: int
    """The integer that stands for 0."""

    def to_floats(self, integers: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return what integers stand for."""
        shifted = integers.astype(np.int64) - self.zero_point
        floats: npt.NDArray[np.float32] = (shifted * self.scale).astype(np.float32)
        return floats

    def to_integers(self, floats: npt.NDArray[np.float64], dtype: str) -> npt.NDArray[Any]:
        """Return the nearest integers of a type; what is outside of its range saturates."""
        limits = np.iinfo(dtype)
        return np.clip(np.rint(floats / self.scale + self.zero_point), limits.min, limits.max).astype(dtype)

    def range_of(self, dtype: str) -> tuple[float, float]:
        """Return the least and the greatest float that the integers of a type can stand for."""
        limits = np.iinfo(dtype)
        return (limits.min - self.zero_point) * self.scale, (limits.max - self.zero_point) * self.scale

    def holds(self, floats: npt.NDArray[np.float64], dtype: str) -> bool:
        """Whether integers of a type can stand for floats, but for a few at the ends of the range."""
        least, greatest = self.range_of(dtype)
        outside = _MOST_OUTSIDE * (greatest - least)
        return bool(least - outside <= floats.min() and floats.max() <= greatest + outside)

    @property
    def words(self) -> str:
        """It in words, such as `scale 0.0078125, zero point 128`."""
        return f"scale {self.scale:.7g}, zero point {self.zero_point}"
