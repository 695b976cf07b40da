"""Makes decisions of a model's judged output: scores of classes that exclude each other. Pure."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.bundle.source_record import OutputRecord
from bench.statistics.accuracy import Labels, Logits

Wide = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Decisions:
    """What a model decides for each sample, and what is right.

    Of an output with several labels each label of each sample is a decision of its own: no or yes.
    """

    scores: Logits
    """The scores: float32 [decisions, classes]."""
    labels: Labels | None
    """The right class of each decision: int64 [decisions]; None where nobody labelled the samples."""
    each: int = 1
    """How many decisions a sample has."""


def decisions(values: Logits, labels: Labels | None, output: OutputRecord) -> Decisions | None:
    """Return the decisions of values [samples, values]; None if the output holds no classes."""
    if output.kind == "values":
        return None
    if output.kind == "classes":
        scores = values if values.shape[1] > 1 else _no_or_yes(values[:, 0], output)
        return Decisions(scores, labels)
    right = None if labels is None else labels.reshape(-1)
    return Decisions(_no_or_yes(values.reshape(-1), output), right, values.shape[1])


def _no_or_yes(values: Logits, output: OutputRecord) -> Logits:
    """Return scores of no and yes for one value a decision: a logit, or a probability. A difference of two
    scores is the difference of two logits, or twice that of two probabilities."""
    no = 1 - values if output.activation == "sigmoid" else np.zeros_like(values)
    return np.stack([no, values], axis=1)


def log_odds(values: Logits, output: OutputRecord) -> Wide:
    """Return scores by which samples can be ordered, class by class: float64, shaped as `values`.

    A logit of classes that exclude each other says little without the others: the score is its log-odds
    against all of them. Every other value orders the samples itself.
    """
    wide = values.astype(np.float64)
    if output.kind != "classes" or output.activation != "logits" or wide.shape[1] == 1:
        return wide
    against_all = wide - _log_sum(wide)
    with np.errstate(divide="ignore"):  # a probability of 1 is infinite odds
        odds: Wide = against_all - np.log(-np.expm1(against_all))
    return odds


def probabilities(values: Logits, output: OutputRecord) -> Wide:
    """Return what an output says as probabilities: float64 [samples, classes], or [samples, labels].

    One value becomes the probabilities of no and yes. Values that are probabilities already stay as they are.
    """
    wide = values.astype(np.float64)
    if output.activation == "logits" and output.kind == "classes" and wide.shape[1] > 1:
        softmax: Wide = np.exp(wide - _log_sum(wide))
        return softmax
    if output.activation == "logits":
        wide = _sigmoid(wide)
    if output.kind == "classes" and wide.shape[1] == 1:
        return np.concatenate([1 - wide, wide], axis=1)
    return wide


def _log_sum(wide: Wide) -> Wide:
    """Return the logarithm of the sum of exponentials of each row: float64 [samples, 1]."""
    highest = wide.max(axis=1, keepdims=True)
    total: Wide = highest + np.log(np.exp(wide - highest).sum(axis=1, keepdims=True))
    return total


def _sigmoid(wide: Wide) -> Wide:
    """Return 1 ÷ (1 + e^−x) without an overflow."""
    small = np.exp(-np.abs(wide))
    probability: Wide = np.where(wide >= 0, 1, small) / (1 + small)
    return probability
