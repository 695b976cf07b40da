"""Figures of merit, checked against values worked out by hand or by other means."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import roc_auc_score

from models.evaluation import area_of, evaluate, proportion

Scores = npt.NDArray[np.float64]


def logits_for(predicted: list[int], classes: int = 2) -> np.ndarray:
    return np.eye(classes, dtype=np.float32)[predicted]


def test_sensitivity_is_of_the_positive_class_whichever_label_it_has() -> None:
    labels = np.array([1, 1, 1, 1, 0, 0])

    evaluation = evaluate(logits_for([1, 1, 1, 0, 0, 1]), labels, 2, 0)

    assert evaluation.sensitivity is not None
    assert evaluation.sensitivity.value == 0.5
    assert evaluation.specificity is not None
    assert evaluation.specificity.value == 0.75


def test_the_auc_is_the_same_from_either_side() -> None:
    labels, logits = (
        np.array([1, 1, 0, 0, 1]),
        np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32),
    )

    from_one, from_other = (evaluate(logits, labels, 2, positive).auc for positive in (0, 1))

    assert from_one is not None
    assert from_other is not None
    assert from_one.value == pytest.approx(from_other.value)


def test_label_1_is_the_positive_one_of_two_classes() -> None:
    labels = np.array([1, 1, 1, 1, 0, 0])

    evaluation = evaluate(logits_for([1, 1, 1, 0, 0, 1]), labels, 2, 1)

    assert evaluation.images == 6
    assert evaluation.accuracy.value == pytest.approx(4 / 6)
    assert evaluation.sensitivity is not None
    assert evaluation.sensitivity.value == 0.75
    assert evaluation.specificity is not None
    assert evaluation.specificity.value == 0.5
    assert evaluation.confusion == ((1, 1), (1, 3))


def test_a_proportion_has_wilsons_interval() -> None:
    # Wilson 1927 by hand: p = 0.9, n = 100, z = 1.959964.
    assert proportion(90, 100).ci95 == pytest.approx((0.82563, 0.94477), abs=1e-5)


def test_a_proportion_of_all_has_an_interval_that_is_not_a_point() -> None:
    low, high = proportion(20, 20).ci95 or (1, 1)

    assert 0.8 < low < 0.9
    assert high == pytest.approx(1)


def test_the_auc_is_scikit_learns_and_its_interval_is_near_the_bootstraps() -> None:
    random = np.random.default_rng(0)
    labels = (np.arange(400) % 4 > 0).astype(np.int64)
    scores = random.normal(labels * 1.5, 1)
    logits = np.stack([np.zeros(400), scores], 1).astype(np.float32)

    estimate = evaluate(logits, labels, 2, 1).auc

    def auc(positive: Scores, negative: Scores) -> float:
        truth = np.repeat([1, 0], [len(positive), len(negative)])
        return float(roc_auc_score(truth, np.concatenate([positive, negative])))

    resampled = bootstrap(
        (scores[labels == 1], scores[labels == 0]),
        auc,
        n_resamples=400,
        vectorized=False,
        method="percentile",
        rng=1,
    ).confidence_interval
    assert estimate is not None
    assert estimate.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-6)
    assert estimate.ci95 == pytest.approx((resampled.low, resampled.high), abs=0.015)


def test_delongs_variance_is_that_of_its_definition() -> None:
    positive, negative = np.array([0.9, 0.8, 0.4, 0.4]), np.array([0.7, 0.4, 0.1])

    kernel = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    expected = kernel.mean(1).var(ddof=1) / 4 + kernel.mean(0).var(ddof=1) / 3

    scores, flags = np.concatenate([positive, negative]), np.repeat([True, False], [4, 3])

    assert np.square(area_of(scores, flags).parts).sum() == pytest.approx(expected)


def test_if_scores_do_not_overlap_the_auc_is_1_without_interval_and_a_note_says_so() -> None:
    evaluation = evaluate(logits_for([0, 0, 1, 1]), np.array([0, 0, 1, 1]), 2, 1)

    assert evaluation.auc is not None
    assert (evaluation.auc.value, evaluation.auc.ci95) == (1.0, None)
    assert "variance is 0" in evaluation.notes[0]


def test_scores_that_a_softmax_would_round_to_1_still_rank() -> None:
    logits = np.array([[0, 100], [0, 200], [0, 50], [0, 90]], np.float32)

    evaluation = evaluate(logits, np.array([1, 1, 0, 0]), 2, 1)

    assert evaluation.auc is not None
    assert evaluation.auc.value == 1.0


def test_three_classes_have_a_mean_auc_no_sensitivity_and_the_reason() -> None:
    labels = np.array([0, 1, 2] * 10)
    random = np.random.default_rng(0)
    logits = (logits_for(labels.tolist(), 3) + random.normal(0, 0.8, (30, 3))).astype(np.float32)

    evaluation = evaluate(logits, labels, 3, None)

    assert evaluation.auc is not None
    assert 0.6 < evaluation.auc.value < 1
    assert evaluation.sensitivity is None
    assert evaluation.specificity is None
    assert "defined for two classes only" in evaluation.notes[-1]
    assert sum(sum(row) for row in evaluation.confusion) == 30


def test_without_images_of_a_class_the_auc_is_undefined_and_a_note_says_so() -> None:
    evaluation = evaluate(logits_for([1, 0]), np.array([1, 1]), 2, 1)

    assert evaluation.auc is None
    assert evaluation.specificity is None
    assert "no image" in evaluation.notes[0]


@pytest.mark.parametrize("classes", [3, 9])
def test_several_classes_have_scikit_learns_mean_auc_with_an_interval(classes: int) -> None:
    random = np.random.default_rng(1)
    labels = np.arange(200) % classes
    logits = (1.5 * np.eye(classes)[labels] + random.normal(0, 1, (200, classes))).astype(np.float32)
    probabilities = np.exp(logits.astype(np.float64))
    probabilities /= probabilities.sum(axis=1, keepdims=True)

    evaluation = evaluate(logits, labels, classes, None)

    auc = evaluation.auc
    assert auc is not None
    assert auc.ci95 is not None
    expected = roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    assert auc.value == pytest.approx(expected)
    assert auc.ci95[0] < auc.value < auc.ci95[1]
    areas = [each.auc for each in evaluation.by_class if each.auc is not None]
    assert auc.value == pytest.approx(np.mean(areas))


def test_a_class_without_images_is_left_out_of_the_mean_auc_and_a_note_says_so() -> None:
    labels = np.array([0, 1] * 20)
    logits = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)

    evaluation = evaluate(logits, labels, 3, None)

    assert evaluation.auc is not None
    assert "leaves out 1 of 3 classes" in evaluation.notes[0]
    absent = evaluation.by_class[2]
    assert (absent.images, absent.recall, absent.auc) == (0, None, None)


def test_each_class_has_its_figures() -> None:
    evaluation = evaluate(logits_for([0, 0, 1, 1, 0], 3), np.array([0, 0, 0, 1, 1]), 3, None)

    first, _, never = evaluation.by_class
    assert first.images == 3
    assert (first.recall, first.precision) == pytest.approx((2 / 3, 2 / 3))
    assert first.f1 == pytest.approx(2 / 3)
    assert (never.precision, never.f1) == (None, None)
    assert evaluation.confused == ((0, 1, 1), (1, 0, 1))
    assert evaluation.confused_pairs == 2


def test_more_than_100_classes_have_no_matrix_and_the_note_says_what_is_kept() -> None:
    evaluation = evaluate(np.roll(np.eye(120, dtype=np.float32), 1, axis=1), np.arange(120), 120, None)

    assert evaluation.confusion == ()
    assert (len(evaluation.confused), evaluation.confused_pairs) == (50, 120)
    assert "more than 100 classes" in evaluation.notes[-1]


def test_with_a_class_of_one_image_the_auc_has_no_interval_and_a_note_says_why() -> None:
    logits = np.random.default_rng(0).normal(size=(41, 3)).astype(np.float32)

    evaluation = evaluate(logits, np.array([0, 1] * 20 + [2]), 3, None)

    assert evaluation.auc is not None
    assert evaluation.auc.ci95 is None
    assert "a class of one image" in evaluation.notes[0]
