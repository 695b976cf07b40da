"""Areas under the curve of several classes, against scikit-learn's and against resampling."""

import numpy as np
import pytest

from bench.statistics.roc import one_hot, roc_areas


def scored(classes: int, samples: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are near the labels, rounded so that some are tied."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, samples)
    scores = random.normal(0, 1, (samples, classes)) + 1.2 * np.eye(classes)[labels]
    return np.round(scores, 1), labels


@pytest.mark.parametrize("classes", [3, 9])
def test_the_mean_over_classes_is_scikit_learns_and_the_evaluators_of_medmnist(classes: int) -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    scores, labels = scored(classes, 200)
    against_rest = [sklearn.roc_auc_score(labels == class_, scores[:, class_]) for class_ in range(classes)]
    softmax = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)

    found = roc_areas(scores, one_hot(labels, classes))

    assert found.areas == pytest.approx(against_rest)
    assert found.mean == pytest.approx(np.mean(against_rest))
    assert roc_areas(softmax, one_hot(labels, classes)).mean == pytest.approx(
        sklearn.roc_auc_score(labels, softmax, multi_class="ovr", average="macro")
    )


def test_the_mean_over_labels_is_scikit_learns() -> None:
    sklearn = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(5)
    labels = random.integers(0, 2, (200, 4))
    scores = np.round(random.random((200, 4)) + labels, 1)

    assert roc_areas(scores, labels == 1).mean == pytest.approx(
        sklearn.roc_auc_score(labels, scores, average="macro")
    )


def test_the_interval_of_one_class_is_delongs() -> None:
    positive, negative = np.array([0.9, 0.8, 0.4, 0.4]), np.array([0.7, 0.4, 0.1])
    kernel = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    variance = kernel.mean(1).var(ddof=1) / 4 + kernel.mean(0).var(ddof=1) / 3
    scores, flags = np.concatenate([positive, negative])[:, None], np.repeat([True, False], [4, 3])[:, None]

    found = roc_areas(scores, flags)

    assert found.mean is not None
    assert found.ci95 == pytest.approx((found.mean - 1.959964 * variance**0.5, 1.0))


def test_two_classes_seen_from_both_sides_have_the_interval_of_one() -> None:
    scores, labels = scored(2, 100)
    score = scores[:, 1] - scores[:, 0]

    both = roc_areas(np.stack([-score, score], axis=1), one_hot(labels, 2))
    one = roc_areas(score[:, None], (labels == 1)[:, None])

    assert both.ci95 == pytest.approx(one.ci95)


def test_the_interval_of_nine_classes_is_near_that_of_resampled_images() -> None:
    scores, labels = scored(9, 300)
    random = np.random.default_rng(1)
    means = [
        roc_areas(scores[chosen], one_hot(labels[chosen], 9)).mean
        for chosen in random.integers(0, 300, (300, 300))
    ]

    found = roc_areas(scores, one_hot(labels, 9))

    assert found.ci95 == pytest.approx(np.quantile(np.array(means), [0.025, 0.975]), abs=0.01)


def test_a_class_without_samples_has_no_area_and_is_left_out_of_the_mean() -> None:
    scores, labels = scored(3, 60)
    labels[labels == 2] = 0

    found = roc_areas(scores, one_hot(labels, 3))

    assert found.areas[2] is None
    assert found.mean == pytest.approx(np.mean([found.areas[0], found.areas[1]]))
    assert found.ci95 is not None


def test_a_class_of_one_sample_has_an_area_and_leaves_no_interval() -> None:
    scores, labels = scored(3, 60)
    labels[np.flatnonzero(labels == 2)[1:]] = 0

    found = roc_areas(scores, one_hot(labels, 3))

    assert found.areas[2] is not None
    assert found.ci95 is None


def test_without_two_classes_or_without_overlap_there_is_no_interval() -> None:
    alone = roc_areas(np.zeros((3, 2)), one_hot(np.zeros(3, int), 2))
    apart = roc_areas(np.eye(3), one_hot(np.arange(3), 3))

    assert (alone.areas, alone.mean, alone.ci95) == ((None, None), None, None)
    assert (apart.mean, apart.ci95) == (1.0, None)
