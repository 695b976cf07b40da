"""The statistics of logits, held against scikit-learn and scipy."""

import math

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

from bench.statistics import accuracy


@pytest.fixture
def logits() -> accuracy.Logits:
    return np.random.default_rng(1).integers(-3, 4, size=(200, 2)).astype(np.float32)  # whole numbers: ties


@pytest.fixture
def labels() -> accuracy.Labels:
    return np.random.default_rng(2).integers(0, 2, 200)


def test_auc_is_scikit_learns_ties_included(logits: accuracy.Logits, labels: accuracy.Labels) -> None:
    scores = logits[:, 1] - logits[:, 0]

    assert accuracy.auc(logits, labels, 1) == pytest.approx(roc_auc_score(labels, scores))


def test_auc_of_three_classes_scores_one_against_the_rest() -> None:
    wide = np.random.default_rng(3).normal(size=(90, 3)).astype(np.float32)
    labels = np.random.default_rng(4).integers(0, 3, 90)
    probability = np.exp(wide) / np.exp(wide).sum(axis=1, keepdims=True)

    expected = roc_auc_score(labels == 2, probability[:, 2])
    assert accuracy.auc(wide, labels, 2) == pytest.approx(expected)


def test_auc_of_one_class_alone_does_not_exist(logits: accuracy.Logits) -> None:
    assert accuracy.auc(logits, np.ones(200, dtype=np.int64), 1) is None


def test_auc_tells_confident_answers_apart_that_a_softmax_would_round_to_one() -> None:
    logits = np.array([[0, 60], [0, 50], [0, 70], [0, 40]], dtype=np.float32)

    assert accuracy.auc(logits, np.array([1, 0, 1, 0]), 1) == 1.0


def test_top1_sensitivity_and_specificity_are_scikit_learns(
    logits: accuracy.Logits, labels: accuracy.Labels
) -> None:
    called = logits.argmax(1)

    assert accuracy.top1(logits, labels) == accuracy_score(labels, called)
    assert accuracy.sensitivity(logits, labels, 1) == pytest.approx(recall_score(labels, called))
    assert accuracy.specificity(logits, labels, 1) == pytest.approx(recall_score(labels, called, pos_label=0))


def test_sqnr_of_one_percent_noise_is_forty_decibels() -> None:
    reference = np.array([[3.0, 4.0]], dtype=np.float32)

    assert accuracy.sqnr_db(reference * np.float32(1.01), reference) == pytest.approx(40, abs=0.01)


def test_sqnr_of_equal_logits_is_null_and_of_broken_ones_minus_infinity() -> None:
    reference = np.array([[3.0, 4.0]], dtype=np.float32)
    broken = np.array([[3.0, np.nan]], dtype=np.float32)

    assert accuracy.sqnr_db(reference, reference) is None
    assert accuracy.sqnr_db(broken, reference) == -math.inf
    assert accuracy.largest_difference(broken, reference) == math.inf


def test_flips_name_the_images_that_changed_class() -> None:
    reference = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    changed = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)

    assert accuracy.flips(changed, reference) == [1]
    assert accuracy.agreement(changed, reference) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("better", "worse"), [(0, 0), (1, 7), (5, 5), (30, 12)])
def test_mcnemar_is_the_exact_binomial_test(better: int, worse: int) -> None:
    paired = accuracy.Paired(images=200, both=100, only_variant=better, only_reference=worse)

    expected = binomtest(better, better + worse).pvalue if better + worse else 1.0
    assert paired.mcnemar_p() == pytest.approx(expected)


def test_missed_are_positive_images_that_only_the_reference_finds() -> None:
    reference = np.array([[0, 1], [0, 1], [1, 0], [0, 1]], dtype=np.float32)
    logits = np.array([[1, 0], [0, 1], [1, 0], [1, 0]], dtype=np.float32)
    labels = np.array([1, 1, 1, 0])

    assert accuracy.missed(logits, reference, labels, 1) == [0]


def test_the_retention_interval_is_about_that_of_a_paired_bootstrap() -> None:
    both, better, worse, neither = 540, 9, 14, 61
    pairs = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, better, worse, neither], axis=0)
    drawn = np.random.default_rng(0).integers(0, len(pairs), (4000, len(pairs)))
    right = pairs[drawn].sum(axis=1)
    expected = np.percentile(right[:, 0] / right[:, 1], [2.5, 97.5])

    found = accuracy.Paired(len(pairs), both, better, worse).retention_ci95()

    assert found is not None
    np.testing.assert_allclose(found, expected, atol=0.002)


def test_the_retention_interval_holds_the_truth_in_about_95_of_100() -> None:
    random = np.random.default_rng(5)
    truth = (0.85 + 0.02) / (0.85 + 0.05)
    inside = 0
    for _ in range(200):
        both, better, worse, _neither = random.multinomial(512, [0.85, 0.02, 0.05, 0.08])
        low, high = accuracy.Paired(512, int(both), int(better), int(worse)).retention_ci95() or (0.0, 0.0)
        inside += low <= truth <= high

    assert 180 <= inside <= 199


@pytest.mark.parametrize("each", [1, 4])
def test_the_interval_of_a_difference_holds_the_truth_in_about_95_of_100(each: int) -> None:
    """With labels of one image that are all right or all wrong together, as well."""
    random = np.random.default_rng(5)
    inside = 0
    for _ in range(300):
        kinds = random.choice(4, 256, p=[0.85, 0.02, 0.05, 0.08])
        variant, reference = np.isin(kinds, [0, 1]), np.isin(kinds, [0, 2])
        by_image = (np.repeat(right[:, None], each, axis=1) for right in (variant, reference))
        paired = accuracy.Paired.of(*by_image)
        low, high = paired.difference_ci95()
        assert low <= paired.difference <= high
        inside += low <= -0.03 <= high

    assert 270 <= inside <= 297


def test_the_interval_of_a_difference_is_that_of_agresti_and_min() -> None:
    low, high = accuracy.Paired(100, 60, 4, 10).difference_ci95()

    half = 1.959964 * (4.5 + 10.5 - 6**2 / 102) ** 0.5 / 102
    assert (low, high) == pytest.approx((-6 / 102 - half, -6 / 102 + half))
    assert accuracy.Paired(1, 0, 1, 0).difference_ci95()[1] == 1


def test_no_change_in_few_images_is_no_proof_that_there_is_none() -> None:
    low, high = accuracy.Paired(images=128, both=124, only_variant=0, only_reference=0).retention_ci95() or (
        1,
        1,
    )

    assert 0.97 < low < 0.99
    assert high > 1


def test_retention_of_a_reference_that_is_never_right_does_not_exist() -> None:
    paired = accuracy.Paired(images=10, both=0, only_variant=3, only_reference=0)

    assert paired.retention is None
    assert paired.retention_ci95() is None


def test_a_reference_of_zeros_has_a_finite_ratio() -> None:
    ratio = accuracy.sqnr_db(np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32))

    assert ratio is not None
    assert -math.inf < ratio < -1000
