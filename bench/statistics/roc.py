"""Areas under the ROC curve, one for each class or label, with the interval of their mean. Pure; numpy only.

The area is the Mann-Whitney statistic with ties counted one half (Hanley and McNeil, Radiology 143, 1982).
The mean over classes, each against all others with the same weight (Provost and Domingos, 2000), is what
scikit-learn's `roc_auc_score(multi_class="ovr", average="macro")` and MedMNIST's own evaluator give.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.statistics.metrics import Classes, Flags, Scores, area_under_roc
from bench.statistics.wilson import Z95, Interval

_Wide = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RocAreas:
    """The area of each class or label, and the interval of their mean."""

    areas: tuple[float | None, ...]
    """The area of each; None of one that all samples have, or none."""
    ci95: Interval | None
    """The 95 % interval of the mean; None without areas, where the scores do not overlap, and with a class of
    one sample."""

    @property
    def mean(self) -> float | None:
        """The mean of the areas that there are; None if there is none."""
        known = [area for area in self.areas if area is not None]
        return float(np.mean(known)) if known else None


def roc_areas(scores: Scores, is_positive: Flags) -> RocAreas:
    """Return the areas of scores and flags [samples, classes].

    The interval of the mean is DeLong's (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988), which for
    one class is that of its area. A sample is in the area of every class: as a positive of its own, as a
    negative of the others. So the parts that it has in all of them are taken together, and the variance of
    the mean is the sum of their squares (as with the influence curves of LeDell, Petersen and van der Laan,
    Electronic Journal of Statistics 9, 2015). Nothing tells the variance of a class of one sample: then there
    is no interval.
    """
    pairs = list(zip(scores.T, is_positive.T, strict=True))
    areas = tuple(area_under_roc(column, flags) for column, flags in pairs)
    found = RocAreas(areas, None)
    known = [(*pair, area) for pair, area in zip(pairs, areas, strict=True) if area is not None]
    if found.mean is None or any(_smaller_side(flags) == 1 for _, flags, _ in known):
        return found
    parts = sum((_parts(*each) for each in known), np.zeros(len(scores))) / len(known)
    deviation = math.sqrt(float(np.square(parts).sum()))
    if deviation == 0:
        return found
    margin = Z95 * deviation
    return RocAreas(areas, (max(0.0, found.mean - margin), min(1.0, found.mean + margin)))


def one_hot(labels: Classes, classes: int) -> Flags:
    """Return whether each sample is of each class: [samples, classes]."""
    is_of: Flags = labels[:, None] == np.arange(classes)
    return is_of


def _smaller_side(is_positive: Flags) -> int:
    positives = int(is_positive.sum())
    return min(positives, len(is_positive) - positives)


def _parts(scores: Scores, is_positive: Flags, area: float) -> _Wide:
    """Return each sample's part in the error of an area: DeLong's structural components, scaled."""
    positive, negative = scores[is_positive], scores[~is_positive]
    parts = np.zeros(len(scores))
    parts[is_positive] = _scaled(_share_below(negative, positive) - area)
    parts[~is_positive] = _scaled(1 - _share_below(positive, negative) - area)
    return parts


def _share_below(others: Scores, scores: Scores) -> _Wide:
    """Return the share of the others that is below each score, with ties counted one half."""
    ordered = np.sort(others)
    below = np.searchsorted(ordered, scores, side="left") + np.searchsorted(ordered, scores, side="right")
    return below / (2.0 * len(others))


def _scaled(deviations: _Wide) -> _Wide:
    """Return deviations whose squares add up to the variance of their mean."""
    return deviations / math.sqrt(len(deviations) * (len(deviations) - 1))
