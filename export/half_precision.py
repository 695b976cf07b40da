"""Which weights and values half precision can hold, and what is said of the others.

It knows arrays, and no format.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import numpy as np
import numpy.typing as npt

LARGEST_HALF = 65504
"""The largest number that half precision holds."""
SMALLEST_HALF = float(np.finfo(np.float16).smallest_normal)
"""The smallest number that half precision holds with all its digits."""
# Half precision rounds by 2^-11 at most. Below SMALLEST_HALF its numbers are 6e-8 apart, so that small ones
# lose more, and those below 3e-8 all. No layer of a MobileNetV2 with ImageNet weights is near this limit.
_LARGEST_ERROR = 2**-8
_NAMES_SHOWN = 3
# Values of other images may be larger, and so may the sums of which a CPU makes a value in half precision.
_MARGIN = 4

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]


class NothingInHalfError(Exception):
    """Half precision can hold the weights of no layer, so that an fp16 artifact would be the fp32 one."""


class Unfit(Enum):
    """Why half precision cannot hold a layer."""

    LARGE_WEIGHTS = auto()
    """A weight exceeds the largest number of half precision."""
    SMALL_WEIGHTS = auto()
    """Weights are so small that they lose digits."""
    LARGE_VALUES = auto()
    """What it takes or gives may exceed the largest number of half precision."""
    SMALL_VALUES = auto()
    """What it takes or gives is so small that it loses digits."""


def halved(weight: Floats) -> Halves | Unfit:
    """Return weights [out, in, …] in half precision; Unfit if that would change an output or input channel.

    Channels count one by one: a small one may be as important as a large one, if large values enter it, or if
    large weights read it. Values that are not finite, as in masks, stay what they are.
    """
    with np.errstate(over="ignore", under="ignore"):
        half = weight.astype(np.float16)
    if np.any(np.isinf(half) & np.isfinite(weight)):
        return Unfit.LARGE_WEIGHTS
    exact = np.where(np.isfinite(weight), weight, 0).astype(np.float64)
    error = np.where(np.isfinite(weight), half, 0) - exact
    if any(_worst(exact, error, axis) > _LARGEST_ERROR for axis in (0, 1)):
        return Unfit.SMALL_WEIGHTS
    return half


def _worst(exact: npt.NDArray[np.float64], error: npt.NDArray[np.float64], axis: int) -> float:
    """Return the largest error of a channel along an axis, relative to the channel's values."""
    others = tuple(other for other in range(exact.ndim) if other != axis)
    size, lost = (np.sqrt(np.square(values).sum(axis=others)) for values in (exact, error))
    return float(np.max(lost[size > 0] / size[size > 0], initial=0.0))


def of_values(largest: float) -> Unfit | None:
    """Return why half precision cannot hold values, by the largest of them; None if it can."""
    if largest > LARGEST_HALF / _MARGIN:
        return Unfit.LARGE_VALUES
    return Unfit.SMALL_VALUES if 0 < largest < SMALLEST_HALF * _MARGIN else None


_REASONS = {
    Unfit.LARGE_WEIGHTS: f"weights beyond {LARGEST_HALF}, which half precision cannot hold",
    Unfit.SMALL_WEIGHTS: f"weights below {SMALLEST_HALF:.1e}, which lose digits in half precision",
    Unfit.LARGE_VALUES: f"values near {LARGEST_HALF} or beyond, which half precision cannot hold",
    Unfit.SMALL_VALUES: f"values near {SMALLEST_HALF:.1e} or below, which lose digits in half precision",
}


@dataclass
class Halving:
    """The weights of one artifact, while they are stored in half precision."""

    stored: int = 0
    """How many weights are stored in half precision."""
    unfit: dict[str, Unfit] = field(default_factory=dict)
    """The layers that stay in fp32, and why, by name: the module's, or that of the constant."""

    def half(self, name: str, weight: Floats) -> Halves | None:
        """Return weights [out, in, …] in half precision; None if they stay in fp32."""
        half = halved(weight)
        if isinstance(half, Unfit):
            self.unfit[name.removesuffix(".weight")] = half
            return None
        self.stored += 1
        return half

    def keep_in_fp32(self, name: str, why: Unfit) -> None:
        """Note that a layer is computed in fp32, because of the values that it takes or gives."""
        self.unfit[name] = why

    @property
    def in_fp32(self) -> tuple[str, ...]:
        """The layers that stay in fp32 because half precision cannot hold their weights or values.

        Raises NothingInHalfError if these are all layers that could be stored in half precision.
        """
        if self.unfit and not self.stored:
            raise NothingInHalfError(
                f"no layer is left to be stored in half precision ({self._reasons}); use the fp32 artifact"
            )
        return tuple(self.unfit)

    @property
    def sentence(self) -> str:
        """Which layers stay in fp32, and why."""
        count = len(self.unfit)
        return f"{'1 layer stays' if count == 1 else f'{count} layers stay'} in fp32: {self._reasons}"

    @property
    def _reasons(self) -> str:
        reasons = []
        for unfit, reason in _REASONS.items():
            if names := [name for name, why in self.unfit.items() if why is unfit]:
                reasons.append(f"{reason}, in {_some(names)}")
        return ", and ".join(reasons)


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"{', '.join(names[:_NAMES_SHOWN])}{more}"
