"""Computes figures of merit with their uncertainty from logits and labels.

It knows no network, file or format.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from scipy.stats import binomtest, norm, rankdata
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from models.dataset import Labels
from models.records import ClassEvaluation, MetricEstimate, SplitEvaluation

Logits = npt.NDArray[np.float32]
Scores = npt.NDArray[np.float64]

CONFIDENCE = 0.95
WILSON = "proportion, Wilson's score interval"
DELONG = "area under the ROC curve, DeLong's interval (DeLong et al. 1988)"
MACRO = "mean over classes of each against the rest (scikit-learn's ovr, macro), interval by DeLong's parts"
# A thousand classes have a million counts, nearly all of them 0.
MOST_CLASSES_OF_MATRIX = 100
MOST_CONFUSED = 50


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
    areas = _areas(logits, labels)
    auc = _auc(areas, positive)
    confused = _confused(predicted, labels)
    return SplitEvaluation(
        images=len(labels),
        accuracy=proportion(int(np.sum(predicted == labels)), len(labels)),
        auc=auc.estimate,
        sensitivity=None if positive is None else _share(labels, predicted, positive),
        specificity=None if positive is None else _share(labels, predicted, 1 - positive),
        confusion=_matrix(predicted, labels, classes),
        methods={"accuracy": WILSON, "sensitivity": WILSON, "specificity": WILSON, "auc": auc.method},
        notes=(*auc.notes, *_gaps(classes, positive)),
        by_class=_by_class(predicted, labels, areas),
        confused=confused[:MOST_CONFUSED],
        confused_pairs=len(confused),
    )


def _gaps(classes: int, positive: int | None) -> list[str]:
    """Return why there are no figures of two classes, and no matrix of many."""
    only_two = "sensitivity and specificity are defined for two classes only"
    no_matrix = (
        f"the confusion matrix is left out, because there are more than {MOST_CLASSES_OF_MATRIX} classes; "
        f"the {MOST_CONFUSED} most frequent confusions are in 'confused'"
    )
    return [
        *([only_two] if positive is None else []),
        *([no_matrix] if classes > MOST_CLASSES_OF_MATRIX else []),
    ]


def _matrix(predicted: Labels, labels: Labels, classes: int) -> tuple[tuple[int, ...], ...]:
    if classes > MOST_CLASSES_OF_MATRIX:
        return ()
    counts = confusion_matrix(labels, predicted, labels=range(classes))
    return tuple(tuple(int(count) for count in row) for row in counts)


def _by_class(
    predicted: Labels, labels: Labels, areas: Sequence["_Area | None"]
) -> tuple[ClassEvaluation, ...]:
    """Return the figures of each class, also of one without images."""
    precisions, recalls, f1s, images = precision_recall_fscore_support(
        labels, predicted, labels=range(len(areas)), zero_division=np.nan
    )
    return tuple(
        ClassEvaluation(
            images=int(images[class_]),
            recall=_or_none(recalls[class_]),
            precision=_or_none(precisions[class_]),
            f1=_or_none(f1s[class_]),
            auc=None if area is None else area.value,
        )
        for class_, area in enumerate(areas)
    )


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _confused(predicted: Labels, labels: Labels) -> tuple[tuple[int, int, int], ...]:
    """Return each pair of classes that is confused with the number of images, the most frequent first."""
    wrong = predicted != labels
    pairs, images = np.unique(np.stack([labels[wrong], predicted[wrong]]), axis=1, return_counts=True)
    order = np.argsort(-images, kind="stable")
    return tuple((int(pairs[0, at]), int(pairs[1, at]), int(images[at])) for at in order)


def proportion(hits: int, total: int) -> MetricEstimate:
    """Return `hits / total` with Wilson's score interval."""
    interval = binomtest(hits, total).proportion_ci(CONFIDENCE, method="wilson")
    return MetricEstimate(value=hits / total, ci95=(float(interval.low), float(interval.high)))


def _share(labels: Labels, predicted: Labels, label: int) -> MetricEstimate | None:
    """Return the share of a class's images that are classified correctly; None if it has none."""
    predictions = predicted[labels == label]
    return proportion(int(np.sum(predictions == label)), len(predictions)) if len(predictions) else None


def _auc(areas: Sequence["_Area | None"], positive: int | None) -> _Auc:
    """Return the mean of the areas, or that of the positive class of two, with its interval."""
    if positive is not None:
        areas = areas[positive : positive + 1]
    known = [area for area in areas if area is not None]
    if not known:
        return _Auc(None, "none", ("the AUC is undefined: all classes but one have no image in this split",))
    method = MACRO if positive is None else DELONG
    value = float(np.mean([area.value for area in known]))
    absent = len(areas) - len(known)
    left_out = f"the AUC leaves out {absent} of {len(areas)} classes, which have no image in this split"
    notes = (left_out,) if absent else ()
    if any(area.smaller_side == 1 for area in known):
        note = "the AUC has no interval: nothing tells the variance of a class of one image"
        return _Auc(MetricEstimate(value=value, ci95=None), method, (*notes, note))
    # An image is in the area of every class, so what it adds to the error of each is taken together.
    deviation = math.sqrt(float(np.square(np.mean([area.parts for area in known], axis=0)).sum()))
    if deviation == 0:
        note = "the AUC has no interval: DeLong's variance is 0 if the scores of the classes do not overlap"
        return _Auc(MetricEstimate(value=value, ci95=None), method, (*notes, note))
    margin = float(norm.ppf((1 + CONFIDENCE) / 2)) * deviation
    ci95 = max(0.0, value - margin), min(1.0, value + margin)
    return _Auc(MetricEstimate(value=value, ci95=ci95), method, notes)


@dataclass(frozen=True)
class _Area:
    """The area under the ROC curve of a class against all others."""

    value: float
    """The area."""
    parts: Scores
    """What each image adds to its error: the variance by DeLong is the sum of the squares."""
    smaller_side: int
    """How many images the class has, or all others have, whichever are fewer."""


def _areas(logits: Logits, labels: Labels) -> list[_Area | None]:
    """Return the area of each class; None of one that all images are of, or none."""
    scores = _against_others(logits)
    is_split = [0 < int(np.sum(labels == class_)) < len(labels) for class_ in range(logits.shape[1])]
    return [
        area_of(scores[:, class_], labels == class_) if is_split[class_] else None
        for class_ in range(logits.shape[1])
    ]


def _against_others(logits: Logits) -> Scores:
    """Return the log-odds of each class against all others, which rank images as the softmax does.

    A softmax near 1 is rounded to exactly 1, and its log-odds lost: so those of the largest logit are taken
    from the other logits.
    """
    wide, rows = logits.astype(np.float64), np.arange(len(logits))
    highest = wide.argmax(axis=1)
    others = wide.copy()
    others[rows, highest] = -np.inf
    of_all = logsumexp(wide, axis=1, keepdims=True) - wide
    odds: Scores = -of_all - np.log(-np.expm1(-np.where(of_all > 0, of_all, 1)))
    odds[rows, highest] = wide[rows, highest] - logsumexp(others, axis=1)
    return odds


def area_of(scores: Scores, is_positive: npt.NDArray[np.bool_]) -> _Area:
    """Return an area by mid-ranks, with DeLong's parts in the fast form of Sun and Xu 2014.

    A class of one image has no part of its own: nothing tells its variance.
    """
    ranks, parts = rankdata(scores), np.zeros(len(scores))
    positive, negative = is_positive, ~is_positive
    above = (ranks[positive] - rankdata(scores[positive])) / negative.sum()
    below = 1 - (ranks[negative] - rankdata(scores[negative])) / positive.sum()
    for side, shares in ((positive, above), (negative, below)):
        if (count := len(shares)) > 1:
            parts[side] = (shares - shares.mean()) / math.sqrt(count * (count - 1))
    return _Area(float(above.mean()), parts, min(len(above), len(below)))
