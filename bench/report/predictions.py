"""A row's decisions as arrays, with the reference's and the labels of the same images. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.report.schema import Evaluation
from bench.statistics import accuracy
from bench.statistics.accuracy import Labels, Logits, Paired
from bench.statistics.scores import decisions


def as_values(logits: Sequence[Sequence[float]]) -> Logits:
    """Return the judged values of a report as an array: float32 [images, values]."""
    return np.asarray(logits, dtype=np.float32)


def labels_of(evaluation: Evaluation) -> Labels | None:
    """Return the labels as an array [images], or [images, labels]; None where nobody labelled the images."""
    return None if evaluation.labels is None else np.asarray(evaluation.labels, dtype=np.int64)


@dataclass(frozen=True)
class Predictions:
    """What a variant and the reference decide for the same images, in one order.

    Of an output with several labels each label of each image is a decision.
    """

    logits: Logits
    """The variant's scores of the classes."""
    reference: Logits
    """The reference's."""
    labels: Labels | None
    """The right classes; None where nobody labelled the images."""

    @classmethod
    def of(cls, logits: Sequence[Sequence[float]], evaluation: Evaluation) -> "Predictions | None":
        """Return the predictions for all images of an evaluation; None if the output holds no classes."""
        labels = labels_of(evaluation)
        own = decisions(as_values(logits), labels, evaluation.output)
        reference = decisions(as_values(evaluation.reference_logits), labels, evaluation.output)
        if own is None or reference is None:
            return None
        return cls(own.scores, reference.scores, own.labels)

    @property
    def paired(self) -> Paired | None:
        """Both, compared image by image; None without labels."""
        return None if self.labels is None else accuracy.pair(self.logits, self.reference, self.labels)

    def of_class(self, label: int) -> "Predictions":
        """Return the predictions for the images of one class."""
        assert self.labels is not None
        chosen = self.labels == label
        return Predictions(self.logits[chosen], self.reference[chosen], self.labels[chosen])
