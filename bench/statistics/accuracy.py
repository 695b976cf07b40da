"""Accuracy of logits, alone and against the fp32 reference. Pure functions on arrays; numpy only, so that a
board needs nothing more.
"""

import math
import sys
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.statistics.by_image import Right, RightByImage
from bench.statistics.metrics import area_under_roc
from bench.statistics.sign_flips import binomial_tail, chance_of
from bench.statistics.wilson import Z95, Interval, wilson_interval

Logits = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]

# A loss counts if chance explains it with a probability of at most this.
LOSS_ERROR = 0.1
# The smallest lower end of the 95 % interval of the agreement: two of 256 images may change.
MIN_AGREEMENT = 0.97
# The smallest SQNR of outputs without classes. Files with 30 dB and more kept the class of 98.7 % of the test
# images, or more, for seven networks (docs/int8.md).
MIN_SQNR_DB = 30.0
# A number of images is given to a hundredth, and beyond so many times those there are it is none.
_NEAR = 0.01
_MOST_TIMES = 1e4


def predictions(logits: Logits) -> npt.NDArray[np.int64]:
    """Return the class of the largest logit for each image: logits [n, classes] to int64 [n]."""
    classes: npt.NDArray[np.int64] = logits.argmax(axis=1)
    return classes


def top1(logits: Logits, labels: Labels) -> float:
    """Return the share of images whose largest logit is the label's."""
    return float((predictions(logits) == labels).mean())


def agreement(logits: Logits, reference: Logits) -> float:
    """Return the share of images with the same predicted class as the reference."""
    return float((predictions(logits) == predictions(reference)).mean())


def agreement_low(agreement: float, images: int) -> float:
    """Return the lower end of the 95 % interval of an agreement on this many images."""
    return wilson_interval(round(agreement * images), images)[0]


def least_agreement(images: int, limit: float = MIN_AGREEMENT) -> float:
    """Return what the lower end of the agreement's interval must reach: `limit`, or what no change gives.

    Few images cannot show the limit (125 are needed for MIN_AGREEMENT): of those none may change its class.
    """
    return min(limit, wilson_interval(images, images)[0])


def flips(logits: Logits, reference: Logits) -> list[int]:
    """Return the indices of the images whose predicted class differs from the reference's."""
    return [int(index) for index in np.flatnonzero(predictions(logits) != predictions(reference))]


def missed(logits: Logits, reference: Logits, labels: Labels, positive_class: int) -> list[int]:
    """Return the indices of positive images that the reference calls positive and the variant does not."""
    detected = (labels == positive_class) & (predictions(reference) == positive_class)
    return [int(index) for index in np.flatnonzero(detected & (predictions(logits) != positive_class))]


def largest_difference(logits: Logits, reference: Logits) -> float:
    """Return the largest absolute difference of two logits; infinite if one of them is not a number."""
    difference = np.abs(logits.astype(np.float64) - reference)
    return float(difference.max()) if np.isfinite(difference).all() else math.inf


def sqnr_db(logits: npt.NDArray[np.floating], reference: npt.NDArray[np.floating]) -> float | None:
    """Return 10·log10(Σ reference² ÷ Σ error²), the signal to quantisation noise ratio in decibels.

    None if the error is exactly zero; minus infinity where a logit is not finite. A signal of zero counts as
    the smallest one, so that the ratio is finite.
    """
    error = float(np.square(logits.astype(np.float64) - reference).sum())
    if error == 0:
        return None
    if not math.isfinite(error):
        return -math.inf
    signal = float(np.square(reference.astype(np.float64)).sum())
    if signal == 0:
        return 10 * (math.log10(sys.float_info.min) - math.log10(error))
    return 10 * math.log10(signal / error)


def positive_scores(logits: Logits, positive_class: int) -> npt.NDArray[np.float64]:
    """Return the log-odds of the positive class against all others: float64 [n].

    It orders images as the softmax probability does, without that one's ties near 0 and 1.
    """
    wide = logits.astype(np.float64)
    others = np.delete(wide, positive_class, axis=1)
    highest = others.max(axis=1)
    against = highest + np.log(np.exp(others - highest[:, None]).sum(axis=1))
    scores: npt.NDArray[np.float64] = wide[:, positive_class] - against
    return scores


def auc(logits: Logits, labels: Labels, positive_class: int) -> float | None:
    """Return the area under the ROC curve as the Mann-Whitney statistic, ties counted one half.

    None if the labels contain only one of the two classes.
    """
    return area_under_roc(positive_scores(logits, positive_class), labels == positive_class)


def sensitivity(logits: Logits, labels: Labels, positive_class: int) -> float | None:
    """Return the share of positive images with a positive prediction; None if there are none."""
    is_positive = predictions(logits)[labels == positive_class] == positive_class
    return float(is_positive.mean()) if len(is_positive) else None


def specificity(logits: Logits, labels: Labels, positive_class: int) -> float | None:
    """Return the share of negative images with a negative prediction; None if there are none."""
    is_positive = predictions(logits)[labels != positive_class] == positive_class
    return float(1 - is_positive.mean()) if len(is_positive) else None


@dataclass(frozen=True)
class Paired:
    """How two models' right answers overlap: decisions both, only the variant, only the reference get right.

    A decision is about an image, or about one of its labels: then `by_image` says how they belong together.
    """

    images: int
    both: int
    only_variant: int
    only_reference: int
    by_image: RightByImage | None = None

    @classmethod
    def of(cls, variant: Right, reference: Right) -> "Paired":
        """Count what both get right: [images, decisions] of each."""
        return cls(
            images=len(variant),
            both=int((variant & reference).sum()),
            only_variant=int((variant & ~reference).sum()),
            only_reference=int((reference & ~variant).sum()),
            by_image=RightByImage.of(variant, reference) if variant.shape[1] > 1 else None,
        )

    @property
    def decisions(self) -> int:
        """The number of decisions."""
        return self.images * (1 if self.by_image is None else self.by_image.each)

    @property
    def changed_images(self) -> int:
        """The number of images of which one of the two gets more right."""
        if self.by_image is None:
            return self.only_variant + self.only_reference
        return sum(gain != 0 for gain in self.by_image.gains)

    @property
    def retention(self) -> float | None:
        """The variant's accuracy ÷ the reference's; None if the reference is never right."""
        right = self.both + self.only_reference
        return (self.both + self.only_variant) / right if right else None

    def retention_ci95(self) -> Interval | None:
        """Return the 95 % interval of retention, a ratio of paired proportions; None if there is none.

        The delta method on its logarithm (Nam and Blackwelder, Statistics in Medicine 21, 2002), with half an
        image added to each of the two kinds of change: without that, no change seen in few images would be
        an interval without width, which is no evidence that there is none. Labels of one image are taken
        together (see RightByImage). No randomness, so that whoever reads a report anywhere gets the same
        figures.
        """
        return None if self.retention is None else self._interval(1)

    @property
    def difference(self) -> float:
        """The variant's accuracy less the reference's."""
        return (self.only_variant - self.only_reference) / self.decisions

    def difference_ci95(self) -> Interval:
        """Return the 95 % interval of the difference, of paired proportions.

        Wald's, with half an image added to each of the four ways in which two models can be right and wrong
        (Agresti and Min, Statistics in Medicine 24, 2005). Labels of one image are taken together: their
        gains vary by image.
        """
        each = 1 if self.by_image is None else self.by_image.each
        lost, gained = self.only_reference, self.only_variant
        squares = lost + gained if self.by_image is None else sum(gain**2 for gain in self.by_image.gains)
        images, total = self.images + 2, gained - lost
        half = Z95 * math.sqrt(squares + each**2 - total**2 / images)
        ends = ((total - half) / (images * each), (total + half) / (images * each))
        return max(-1.0, ends[0]), min(1.0, ends[1])

    def images_to_decide(self, threshold: float) -> int | None:
        """Return how many images like these would have the whole interval on one side of `threshold`.

        None if the retention lies just there, so that hardly any number would.
        """
        if self.retention is None:
            return None

        def decides(times: float) -> bool:
            low, high = self._interval(times)
            return low >= threshold or high < threshold

        low, high = 0.0, 1.0
        while not decides(high):
            low, high = high, 2 * high
            if high > _MOST_TIMES:
                return None
        while high - low > _NEAR * high:
            middle = (low + high) / 2
            low, high = (low, middle) if decides(middle) else (middle, high)
        return math.ceil(high * self.images)

    def images_to_detect(self) -> int | None:
        """Return how many images like these would make the loss significant at LOSS_ERROR, tested alone.

        None if there is no loss, if hardly any number would, or if an image has several labels.
        """
        lost, gained = self.only_reference, self.only_variant
        if lost <= gained or self.by_image is not None:
            return None

        def detects(images: int) -> bool:
            losses, gains = images * lost // self.images, -(-images * gained // self.images)
            return binomial_tail(losses + gains, gains) <= LOSS_ERROR

        few, many = 0, self.images
        while not detects(many):
            few, many = many, 2 * many
            if many > _MOST_TIMES * self.images:
                return None
        while many - few > 1:
            middle = (few + many) // 2
            few, many = (few, middle) if detects(middle) else (middle, many)
        return many

    def _interval(self, times: float) -> Interval:
        """Return the interval if there were `times` as many images with the same shares."""
        half = 0.5 * self.decisions / self.images
        variant = times * (self.both + self.only_variant) + half
        reference = times * (self.both + self.only_reference) + half
        if self.by_image is None:
            variance = (times * (self.only_variant + self.only_reference) + 1) / (variant * reference)
        else:
            variance = self.by_image.variance_of_log_retention(times)
        ratio, spread = variant / reference, math.exp(Z95 * math.sqrt(variance))
        return ratio / spread, ratio * spread

    def loss_p(self) -> float:
        """Return the exact one-sided p-value: that so many or more losses were an even chance's.

        McNemar's test; of labels the test that flips the signs of images.
        """
        if self.by_image is not None:
            return chance_of([-gain for gain in self.by_image.gains])
        return binomial_tail(self.only_variant + self.only_reference, self.only_variant)

    def mcnemar_p(self) -> float:
        """Return the exact two-sided McNemar p-value: a binomial test of the images only one gets right.

        Of labels, the test that flips the signs of images.
        """
        if self.by_image is not None:
            sign = 1 if self.only_variant >= self.only_reference else -1
            return min(1.0, 2 * chance_of([sign * gain for gain in self.by_image.gains]))
        fewer = min(self.only_variant, self.only_reference)
        return min(1.0, 2 * binomial_tail(self.only_variant + self.only_reference, fewer))


def pair(logits: Logits, reference: Logits, labels: Labels, each: int = 1) -> Paired:
    """Count which decisions the variant and the reference get right; an image has `each` of them."""
    shape = (-1, each)
    variant, other = predictions(logits) == labels, predictions(reference) == labels
    return Paired.of(variant.reshape(shape), other.reshape(shape))
