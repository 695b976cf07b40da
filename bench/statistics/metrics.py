"""Figures of a classifier beyond the share of right answers. Pure functions on arrays; numpy only.

Each says whose formula it is. They give what scikit-learn gives for the same answers; where a figure does not
exist for the labels at hand, they give None.
"""

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating]
Classes = npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]


def area_under_roc(scores: Scores, is_positive: Flags) -> float | None:
    """Return the area under the receiver operating characteristic; None if one of the classes is missing.

    It is the Mann-Whitney statistic with ties counted one half (Hanley and McNeil, Radiology 143, 1982): the
    share of pairs of a positive and a negative in which the positive has the higher score.
    """
    positive, negative = scores[is_positive], np.sort(scores[~is_positive])
    if not len(positive) or not len(negative):
        return None
    below = np.searchsorted(negative, positive, side="left")
    not_above = np.searchsorted(negative, positive, side="right")
    return float((below + not_above).sum() / 2 / (len(positive) * len(negative)))


def balanced_accuracy(predicted: Classes, labels: Classes) -> float:
    """Return the mean over the classes that occur of the share of their samples that are classified right.

    Brodersen et al., The balanced accuracy and its posterior distribution, ICPR 2010.
    """
    return float(np.mean([(predicted[labels == label] == label).mean() for label in np.unique(labels)]))


def top_k(scores: Scores, labels: Classes, k: int = 5) -> float:
    """Return the share of samples whose class is among those with the `k` highest scores.

    Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, IJCV 115, 2015. Of classes with
    one score the later ones count as lower, so that a constant output is no success.
    """
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((order == labels[:, None]).any(axis=1).mean())


def precision(is_predicted: Flags, is_positive: Flags) -> float | None:
    """Return the share of the predicted positives that are positive: TP ÷ (TP + FP); None if there are none.

    Van Rijsbergen, Information Retrieval, 2nd edition, 1979.
    """
    return float(is_positive[is_predicted].mean()) if is_predicted.any() else None


def f1(is_predicted: Flags, is_positive: Flags) -> float:
    """Return the harmonic mean of precision and sensitivity: 2·TP ÷ (2·TP + FP + FN); 0 without any positive.

    Van Rijsbergen, Information Retrieval, 2nd edition, 1979.
    """
    wrong = int((is_predicted != is_positive).sum())
    twice = 2 * int((is_predicted & is_positive).sum())
    return twice / (twice + wrong) if twice + wrong else 0.0


def macro_f1(predicted: Classes, labels: Classes) -> float:
    """Return the mean of F1 over the classes that occur in the labels or the predictions.

    Every class has the same weight (Opitz and Burst, Macro F1 and Macro F1, 2019: the mean of the F1s).
    """
    classes = np.union1d(predicted, labels)
    return float(np.mean([f1(predicted == label, labels == label) for label in classes]))


def mean_cosine(values: Scores, reference: Scores) -> float | None:
    """Return the mean over samples of the cosine of the angle between two rows of values.

    None if a row is all zeros, and for a single value, between which there is no angle.
    """
    ours, theirs = values.astype(np.float64), reference.astype(np.float64)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    if ours.shape[1] == 1 or not np.all(lengths) or not np.isfinite(lengths).all():
        return None
    return float(((ours * theirs).sum(axis=1) / lengths).mean())
