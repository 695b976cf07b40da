"""Figures of a classifier, held against scikit-learn's and against values computed by hand."""

import numpy as np
import numpy.typing as npt
import pytest

from bench.statistics import accuracy, metrics

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]

# Two ties, and a class that is never predicted.
LABELS = np.array([0, 0, 1, 1, 2, 2, 2, 3])
SCORES = np.array(
    [
        [0.6, 0.2, 0.1, 0.1],
        [0.3, 0.4, 0.2, 0.1],
        [0.2, 0.5, 0.2, 0.1],
        [0.5, 0.3, 0.1, 0.1],
        [0.1, 0.1, 0.7, 0.1],
        [0.2, 0.2, 0.5, 0.1],
        [0.6, 0.1, 0.2, 0.1],
        [0.1, 0.2, 0.4, 0.3],
    ]
)
PREDICTED = SCORES.argmax(axis=1)


def random_scores(classes: int, samples: int = 200) -> tuple[Floats, Classes]:
    """Probabilities with ties, and labels that go with them."""
    random = np.random.default_rng(classes)
    labels = random.integers(0, classes, samples)
    scores = np.round(random.random((samples, classes)) + np.eye(classes)[labels], 1)
    return scores / scores.sum(axis=1, keepdims=True), labels


def test_balanced_accuracy_is_the_mean_of_the_classes_shares() -> None:
    assert metrics.balanced_accuracy(PREDICTED, LABELS) == pytest.approx((1 / 2 + 1 / 2 + 2 / 3 + 0) / 4)


def test_f1_is_two_thirds_for_two_right_one_missed_and_one_wrong() -> None:
    predicted = np.array([True, True, True, False, False])
    positive = np.array([True, True, False, True, False])

    assert metrics.f1(predicted, positive) == pytest.approx(2 * 2 / (2 * 2 + 1 + 1))
    assert metrics.f1(np.zeros(3, bool), np.zeros(3, bool)) == 0


def test_macro_f1_counts_a_class_that_is_never_predicted_as_0() -> None:
    per_class = [2 / 4 * 1.0, 2 / 4, 2 * 2 / (4 + 2), 0]  # 2·TP ÷ (2·TP + FP + FN)
    per_class[0] = 2 / (2 + 2 + 1)

    assert metrics.macro_f1(PREDICTED, LABELS) == pytest.approx(np.mean(per_class))


def test_top_k_counts_ties_by_the_order_of_the_classes_so_that_a_constant_output_is_no_success() -> None:
    constant, labels = np.zeros((10, 10)), np.arange(10)

    assert metrics.top_k(constant, labels, 5) == 0.5
    assert metrics.top_k(SCORES, LABELS, 1) == accuracy.top1(SCORES.astype(np.float32), LABELS)
    assert metrics.top_k(SCORES, LABELS, 2) == 1


def test_the_area_counts_ties_one_half_and_needs_both_classes() -> None:
    scores, positive = np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True])

    assert metrics.area_under_roc(scores, positive) == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    assert metrics.area_under_roc(scores, np.ones(4, bool)) is None


def test_the_cosine_is_the_mean_over_samples_and_none_where_there_is_no_angle() -> None:
    values, reference = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([[2.0, 0.0], [1.0, 0.0]])

    assert metrics.mean_cosine(values, reference) == pytest.approx((1 + 1 / np.sqrt(2)) / 2)
    assert metrics.mean_cosine(values, np.zeros((2, 2))) is None
    assert metrics.mean_cosine(values[:, :1], reference[:, :1]) is None


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_every_figure_of_classes_is_scikit_learns(classes: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    scores, labels = random_scores(classes)
    predicted = scores.argmax(axis=1)

    assert metrics.balanced_accuracy(predicted, labels) == pytest.approx(
        sklearn.balanced_accuracy_score(labels, predicted)
    )
    assert metrics.macro_f1(predicted, labels) == pytest.approx(
        sklearn.f1_score(labels, predicted, average="macro")
    )
    ones = (labels == 1, predicted == 1)
    assert metrics.f1(ones[1], ones[0]) == pytest.approx(sklearn.f1_score(*ones))
    assert metrics.precision(ones[1], ones[0]) == pytest.approx(sklearn.precision_score(*ones))
    if classes > 5:
        unique = scores + np.random.default_rng(0).random(scores.shape) * 1e-6  # its ties are others
        assert metrics.top_k(unique, labels, 5) == pytest.approx(
            sklearn.top_k_accuracy_score(labels, unique, k=5)
        )


def test_every_figure_of_labels_is_scikit_learns() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(5)
    labels = random.integers(0, 2, (200, 4))
    scores = np.round(random.random((200, 4)) + labels, 1) / 2
    predicted = scores > 0.5

    by_label = [metrics.f1(predicted[:, label], labels[:, label] == 1) for label in range(4)]
    assert np.mean(by_label) == pytest.approx(sklearn.f1_score(labels, predicted, average="macro"))


def test_a_class_that_is_never_predicted_has_no_precision() -> None:
    assert metrics.precision(np.zeros(3, bool), np.ones(3, bool)) is None
