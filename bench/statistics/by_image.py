"""Several decisions of each image: the labels of one image depend on each other, so the image is the unit.

An image with one decision is the usual case, for which all of this gives the usual formulas. Pure.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.statistics.wilson import Interval, wilson_interval

Right = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RightByImage:
    """How many decisions of each image two models get right."""

    each: int
    """How many decisions an image has."""
    variant: tuple[int, ...]
    """The right decisions of the variant, image by image."""
    reference: tuple[int, ...]
    """Those of the reference."""

    @classmethod
    def of(cls, variant: Right, reference: Right) -> "RightByImage":
        """Count what is right: [images, decisions] of both."""
        counts = (tuple(int(count) for count in right.sum(axis=1)) for right in (variant, reference))
        return cls(variant.shape[1], *counts)

    def variance_of_log_retention(self, times: float = 1) -> float:
        """Return the variance of the logarithm of retention, the ratio of both sums A and B.

        Σ (aᵢ ÷ A − bᵢ ÷ B)² over the images: the linearised variance of a ratio of two totals of clusters
        (Cochran, Sampling Techniques, 3rd edition, 1977, chapter 6, with images as units; Rao and Scott,
        Biometrics 48, 1992, for binary data). If each image has one decision, it is Nam and Blackwelder's.
        Half an image is added of which only the variant gets all decisions right, and half of which only the
        reference does: few changes show little of how changes of one image hang together. `times`: as if
        there were so many times as many images.
        """
        own, other = (np.array(counts, dtype=np.float64) for counts in (self.variant, self.reference))
        half = self.each / 2
        total, whole = times * own.sum() + half, times * other.sum() + half
        squares = [times * float(counts @ counts) + half * self.each for counts in (own, other)]
        product = times * float(own @ other)
        return float(squares[0] / total**2 - 2 * product / (total * whole) + squares[1] / whole**2)

    @property
    def gains(self) -> tuple[int, ...]:
        """How many more decisions of each image the variant gets right."""
        return tuple(own - other for own, other in zip(self.variant, self.reference, strict=True))


@dataclass(frozen=True)
class Changes:
    """In how many decisions of each image two models differ."""

    images: int
    """The number of images."""
    each: int
    """How many decisions an image has."""
    changed: tuple[int, ...]
    """The number of changed decisions of each image that has some."""

    @classmethod
    def of(cls, flips: Iterable[int], images: int, each: int) -> "Changes":
        """Sort changed decisions by their images; `flips`: image × decisions + decision."""
        return cls(images, each, tuple(Counter(at // each for at in flips).values()))

    @property
    def decisions(self) -> int:
        """The number of decisions."""
        return self.images * self.each

    @property
    def agreement(self) -> float:
        """The share of decisions that did not change."""
        return 1 - sum(self.changed) / self.decisions

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the agreement: Wilson's, for the number of decisions ÷ the design effect.

        Rao and Scott, A simple method for the analysis of clustered binary data, Biometrics 48, 1992. It is
        no narrower than that of images which all agree, or all do not: few changes show little of how changes
        of one image hang together.
        """
        effect = self._design_effect
        low, high = wilson_interval((self.decisions - sum(self.changed)) / effect, self.decisions / effect)
        lowest, highest = wilson_interval(self.images, self.images)[0], wilson_interval(0, self.images)[1]
        return min(low, lowest), max(high, highest)

    @property
    def _design_effect(self) -> float:
        """The variance of the share, with images as units, ÷ that of independent decisions; 1 to `each`.

        Σ (dᵢ − m·q)² ÷ (n·m·q·(1 − q)), for dᵢ of the m decisions of n images, and their share q. An image
        is added whose decisions all changed, so that without any change it is m: the images count then.
        """
        if self.each == 1:
            return 1.0
        changed = np.array([*self.changed, self.each], dtype=np.float64)
        images = self.images + 1
        share = float(changed.sum()) / (images * self.each)
        if share >= 1:
            return float(self.each)
        unchanged = images - len(changed)
        squares = float(np.square(changed - self.each * share).sum()) + unchanged * (self.each * share) ** 2
        effect = squares / (images * self.each * share * (1 - share))
        return min(max(1.0, effect), float(self.each))
