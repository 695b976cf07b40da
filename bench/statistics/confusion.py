"""Which classes are taken for which. Pure functions on arrays; numpy only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.statistics.metrics import Classes

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ConfusedPair:
    """Samples of a class that are taken for another class."""

    right: int
    """The class that they are of."""
    given: int
    """The class that they are taken for."""
    samples: int
    """How many there are."""


def confusion_matrix(predicted: Classes, labels: Classes, classes: int) -> Counts:
    """Return how many samples of each class (row) are taken for each class (column)."""
    counts: Counts = np.bincount(labels * classes + predicted, minlength=classes**2)
    return counts.reshape(classes, classes)


def confused_pairs(predicted: Classes, labels: Classes) -> list[ConfusedPair]:
    """Return the pairs of classes that are confused at all, the most frequent first.

    It needs no matrix, which a thousand classes make large and nearly empty.
    """
    wrong = predicted != labels
    pairs, samples = np.unique(np.stack([labels[wrong], predicted[wrong]]), axis=1, return_counts=True)
    order = np.argsort(-samples, kind="stable")
    return [ConfusedPair(int(pairs[0, at]), int(pairs[1, at]), int(samples[at])) for at in order]
