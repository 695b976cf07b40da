"""A row's decisions as arrays, with the reference's and the labels of the same images. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bench.bundle.source_record import OutputKind
from bench.report.schema import Evaluation
from bench.statistics import accuracy
from bench.statistics.accuracy import Labels, Logits, Paired
from bench.statistics.by_class import ClassPair, pairs_by_class
from bench.statistics.scores import Decisions, Wide, decisions, probabilities

_TWO_CLASSES = 2


def as_values(logits: Sequence[Sequence[float]]) -> Logits:
    """Return the judged values of a report as an array: float32 [images, values]."""
    return np.asarray(logits, dtype=np.float32)


def labels_of(evaluation: Evaluation) -> Labels | None:
    """Return the labels as an array [images], or [images, labels]; None where nobody labelled the images."""
    return None if evaluation.labels is None else np.asarray(evaluation.labels, dtype=np.int64)


def metric_arguments(logits: Sequence[Sequence[float]], evaluation: Evaluation) -> tuple[Labels, Wide]:
    """Return scikit-learn's `(y_true, y_score)` for judged values: labels, and probabilities.

    They are [images] and [images, classes], or [images, labels] both. Of two classes `y_true` is 1 for the
    positive one, and `y_score` has its probability alone: both [images].
    """
    labels, scores = labels_of(evaluation), probabilities(as_values(logits), evaluation.output)
    assert labels is not None
    if evaluation.output.kind == "labels" or scores.shape[1] != _TWO_CLASSES:
        return labels, scores
    positive = 1 if evaluation.positive_class is None else evaluation.positive_class
    return (labels == positive).astype(np.int64), scores[:, positive]


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
    each: int = 1
    """How many decisions an image has: its labels, where there are several."""

    @classmethod
    def of(cls, logits: Sequence[Sequence[float]], evaluation: Evaluation) -> "Predictions | None":
        """Return the predictions for all images of an evaluation; None if the output holds no classes."""
        labels = labels_of(evaluation)
        own = decisions(as_values(logits), labels, evaluation.output)
        reference = decisions(as_values(evaluation.reference_logits), labels, evaluation.output)
        if own is None or reference is None:
            return None
        return cls(own.scores, reference.scores, own.labels, own.each)

    @property
    def paired(self) -> Paired | None:
        """Both, compared image by image; None without labels."""
        if self.labels is None:
            return None
        return accuracy.pair(self.logits, self.reference, self.labels, self.each)

    def by_class(self, kind: OutputKind) -> tuple[ClassPair, ...]:
        """Return both for each class by itself, in the order of the output; nothing without labels."""
        if self.labels is None:
            return ()
        variant = Decisions(self.logits, self.labels, self.each)
        return pairs_by_class(variant, Decisions(self.reference, self.labels, self.each), self.labels, kind)
