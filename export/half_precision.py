"""Which weights half precision can hold, and what is said of the others. It knows arrays, and no format."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

LARGEST_HALF = 65504
"""The largest number that half precision holds."""
# Half precision rounds a normal number by 2^-11 at most. Below 6.1e-5 its numbers are 6e-8 apart, so that small
# ones lose more, and those below 3e-8 all. No layer of a MobileNetV2 with ImageNet weights is near this limit.
_LARGEST_ERROR = 2**-8
_NAMES_SHOWN = 3

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]


class NothingInHalfError(Exception):
    """Half precision can hold the weights of no layer, so that an fp16 artifact would be the fp32 one."""


@dataclass(frozen=True)
class Unfit:
    """Why half precision cannot hold weights."""

    is_too_large: bool
    """Whether a weight exceeds the largest number of half precision; otherwise weights are too small."""


def halved(weight: Floats) -> Halves | Unfit:
    """Return weights [out, in, …] in half precision; Unfit if a channel of outputs or inputs would be another.

    Channels count one by one: a small one may be as important as a large one, if large values enter it, or if
    large weights read it. Values that are not finite, as in masks, stay what they are.
    """
    with np.errstate(over="ignore", under="ignore"):
        half = weight.astype(np.float16)
    if np.any(np.isinf(half) & np.isfinite(weight)):
        return Unfit(is_too_large=True)
    exact = np.where(np.isfinite(weight), weight, 0).astype(np.float64)
    error = np.where(np.isfinite(weight), half, 0) - exact
    if any(_worst(exact, error, axis) > _LARGEST_ERROR for axis in (0, 1)):
        return Unfit(is_too_large=False)
    return half


def _worst(exact: npt.NDArray[np.float64], error: npt.NDArray[np.float64], axis: int) -> float:
    """Return the largest error of a channel along an axis, relative to the channel's values."""
    others = tuple(other for other in range(exact.ndim) if other != axis)
    size, lost = (np.sqrt(np.square(values).sum(axis=others)) for values in (exact, error))
    return float(np.max(lost[size > 0] / size[size > 0], initial=0.0))


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

    @property
    def in_fp32(self) -> tuple[str, ...]:
        """The layers that stay in fp32 because half precision cannot hold their weights.

        Raises NothingInHalfError if these are all layers that could be stored in half precision.
        """
        if self.unfit and not self.stored:
            raise NothingInHalfError(
                f"{'; '.join(self.warnings)}; nothing else could be in half: export fp32"
            )
        return tuple(self.unfit)

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence for each reason why layers stay in fp32."""
        sentences = []
        for is_too_large in (True, False):
            names = [name for name, why in self.unfit.items() if why.is_too_large is is_too_large]
            if names:
                sentences.append(_sentence(names, is_too_large))
        return tuple(sentences)


def _sentence(names: Sequence[str], is_too_large: bool) -> str:
    what = (
        f"exceed what half holds ({LARGEST_HALF})"
        if is_too_large
        else f"are too small for half (its precision ends at {np.finfo(np.float16).smallest_normal:.1e})"
    )
    layers = "1 layer stays in fp32: its" if len(names) == 1 else f"{len(names)} layers stay in fp32: their"
    shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
    return f"{layers} weights {what}; {shown}"
