"""Makes decisions of a model's judged output: scores of classes that exclude each other. Pure."""

from dataclasses import dataclass

import numpy as np

from bench.bundle.source_record import OutputRecord
from bench.statistics.accuracy import Labels, Logits


@dataclass(frozen=True)
class Decisions:
    """What a model decides for each sample, and what is right.

    Of an output with several labels each label of each sample is a decision of its own: no or yes.
    """

    scores: Logits
    """The scores: float32 [decisions, classes]."""
    labels: Labels | None
    """The right class of each decision: int64 [decisions]; None where nobody labelled the samples."""


def decisions(values: Logits, labels: Labels | None, output: OutputRecord) -> Decisions | None:
    """Return the decisions of values [samples, values]; None if the output holds no classes."""
    if output.kind == "values":
        return None
    if output.kind == "classes":
        scores = values if values.shape[1] > 1 else _no_or_yes(values[:, 0], output)
        return Decisions(scores, labels)
    return Decisions(_no_or_yes(values.reshape(-1), output), None if labels is None else labels.reshape(-1))


def _no_or_yes(values: Logits, output: OutputRecord) -> Logits:
    """Return scores of no and yes for one value a decision: a logit, or a probability. A difference of two
    scores is the difference of two logits, or twice that of two probabilities."""
    no = 1 - values if output.activation == "sigmoid" else np.zeros_like(values)
    return np.stack([no, values], axis=1)
