"""Computes figures of merit with their uncertainty from logits and labels.

It knows no network, file or format.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from scipy.stats import binomtest, norm, rankdata
from sklearn.metrics import confusion_matrix, roc_auc_score

from models.dataset import Labels
from models.records import MetricEstimate, SplitEvaluation

Logits = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

CONFIDENCE = 0.95
WILSON = "proportion, Wilson's score interval"
DELONG = "area under the ROC curve, DeLong's interval (DeLong et al. 1988)"
MACRO = "mean over classes of each against the rest, no interval"


@dataclass(frozen=True)
class _Auc:
    estimate: MetricEstimate | None
    method: str
    notes: tuple[str, ...]


def evaluate(logits: Logits, labels: Labels, classes: int, positive: int | None) -> SplitEvaluation:
    """Return the figures for `logits` [n, classes] and true `labels` [n].

    `positive`: the label of the positive class; None unless there are two classes.
    """
    predicted = logits.argmax(axis=1)
    confusion = confusion_matrix(labels, predicted, labels=range(classes))
    auc = _auc(logits, labels, classes, positive)
    notes = (
        auc.notes
        if positive is not None
        else (*auc.notes, "sensitivity and specificity are defined for two classes only")
    )
    return SplitEvaluation(
        images=len(labels),
        accuracy=proportion(int(np.sum(predicted == labels)), len(labels)),
        auc=auc.estimate,
        sensitivity=None if positive is None else _share(labels, predicted, positive),
        specificity=None if positive is None else _share(labels, predicted, 1 - positive),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        methods={"accuracy": WILSON, "sensitivity": WILSON, "specificity": WILSON, "auc": auc.method},
        notes=notes,
    )


def proportion(hits: int, total: int) -> MetricEstimate:
    """Return `hits / total` with Wilson's score interval."""
    interval = binomtest(hits, total).proportion_ci(CONFIDENCE, method="wilson")
    return MetricEstimate(value=hits / total, ci95=(float(interval.low), float(interval.high)))


def _share(labels: Labels, predicted: Labels, label: int) -> MetricEstimate | None:
    """Return the share of a class's images that are classified correctly; None if it has none."""
    predictions = predicted[labels == label]
    return proportion(int(np.sum(predictions == label)), len(predictions)) if len(predictions) else None


def _auc(logits: Logits, labels: Labels, classes: int, positive: int | None) -> _Auc:
    if len(np.unique(labels)) < classes:
        return _Auc(None, "none", ("the AUC is undefined: a class has no image in this split",))
    if positive is not None:
        # The difference of logits ranks images as the softmax does, but is not rounded to exactly 1.
        scores = logits[:, positive].astype(np.float64) - logits[:, 1 - positive]
        return _binary_auc(scores, labels == positive)
    probabilities = softmax(logits.astype(np.float64), axis=1)
    value = float(roc_auc_score(labels, probabilities, multi_class="ovr", average="macro"))
    return _Auc(MetricEstimate(value=value, ci95=None), MACRO, ())


def _binary_auc(scores: Scores, is_positive: npt.NDArray[np.bool_]) -> _Auc:
    value = float(roc_auc_score(is_positive, scores))
    variance = delong_variance(scores[is_positive], scores[~is_positive])
    if variance == 0:
        note = "the AUC has no interval: DeLong's variance is 0 if the scores of the classes do not overlap"
        return _Auc(MetricEstimate(value=value, ci95=None), DELONG, (note,))
    margin = float(norm.ppf((1 + CONFIDENCE) / 2)) * variance**0.5
    return _Auc(
        MetricEstimate(value=value, ci95=(max(0.0, value - margin), min(1.0, value + margin))), DELONG, ()
    )


def delong_variance(positive: Scores, negative: Scores) -> float:
    """Return the variance of the AUC by DeLong's method, in the fast form of Sun and Xu 2014 (mid-ranks).

    A class of one image has no variance of its own: it counts as 0, not as `nan`.
    """
    ranks = rankdata(np.concatenate([positive, negative]))
    above = (ranks[: len(positive)] - rankdata(positive)) / len(negative)
    below = 1 - (ranks[len(positive) :] - rankdata(negative)) / len(positive)
    return sum(float(part.var(ddof=1)) / len(part) for part in (above, below) if len(part) > 1)
