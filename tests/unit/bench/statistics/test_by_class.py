"""Each class by itself, of classes that exclude each other and of labels that do not."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, binomtest
from sklearn.metrics import balanced_accuracy_score, recall_score

from bench.bundle.source_record import OutputRecord
from bench.statistics.accuracy import Labels, Logits, Paired
from bench.statistics.by_class import (
    ClassPair,
    balanced_accuracy,
    hidden_loss,
    images_to_show,
    pairs_by_class,
    vanishing_p,
)
from bench.statistics.scores import decisions


def scores_of(classes: npt.NDArray[np.int64], count: int) -> Logits:
    return np.eye(count, dtype=np.float32)[classes]


def pairs_of(variant: Logits, reference: Logits, labels: Labels, output: OutputRecord) -> list[ClassPair]:
    own, other = (decisions(values, labels, output) for values in (variant, reference))
    assert own is not None
    assert other is not None
    assert own.labels is not None
    return list(pairs_by_class(own, other, own.labels, output.kind))


CLASSES = OutputRecord(name="scores", index=0, kind="classes", activation="logits")
LABELS = OutputRecord(name="scores", index=0, kind="labels", activation="sigmoid")


def test_the_recall_of_each_class_is_scikit_learns() -> None:
    random = np.random.default_rng(1)
    labels, own, other = (random.integers(0, 5, 300) for _ in range(3))
    pairs = pairs_of(scores_of(own, 5), scores_of(other, 5), labels, CLASSES)

    assert [pair.recall for pair in pairs] == pytest.approx(recall_score(labels, own, average=None))
    assert [pair.reference_recall for pair in pairs] == pytest.approx(
        recall_score(labels, other, average=None)
    )
    assert [pair.images for pair in pairs] == [int((labels == index).sum()) for index in range(5)]
    assert balanced_accuracy(pair.recall for pair in pairs) == pytest.approx(
        balanced_accuracy_score(labels, own)
    )


def test_a_network_that_calls_everything_healthy_loses_the_ill() -> None:
    labels = np.array([0] * 400 + [1] * 4)
    healthy, ill = pairs_of(scores_of(labels * 0, 2), scores_of(labels, 2), labels, CLASSES)

    assert (healthy.recall, healthy.changed) == (1, 0)
    assert (ill.recall, ill.reference_recall, ill.changed, ill.paired.loss_p()) == (0, 1, 4, 1 / 16)


@pytest.mark.parametrize(("recognised", "images"), [(1, 4), (2, 4), (3, 4), (4, 4), (2, 60), (5, 60)])
def test_a_class_vanishes_by_chance_as_rarely_as_scipy_says(recognised: int, images: int) -> None:
    recalls = np.linspace(0, 1, 20_001)
    expected = (binom.sf(recognised - 1, images, recalls) * binom.pmf(0, images, recalls)).max()

    assert vanishing_p(recognised, images) == pytest.approx(expected, rel=1e-3)


def test_a_class_that_was_never_recognised_does_not_vanish() -> None:
    assert vanishing_p(0, 4) == 1


def test_a_class_of_many_images_that_vanishes_is_left_to_mcnemars_test() -> None:
    vanished = ClassPair(0, Paired(100_000, 0, 0, 100_000))

    assert vanishing_p(100_000, 100_000) == 1
    assert vanished.loss_p() == vanished.paired.loss_p() == vanished.least_p() == 0


def test_one_score_for_two_classes_is_two_classes() -> None:
    values = np.array([[0.5], [-0.5], [0.5]], dtype=np.float32)
    pairs = pairs_of(values, values, np.array([1, 0, 0]), CLASSES)

    assert [(pair.index, pair.images, pair.recall) for pair in pairs] == [(0, 2, 0.5), (1, 1, 1)]


def test_a_class_without_images_is_there_without_a_recall() -> None:
    labels = np.array([0, 0, 2])
    pairs = pairs_of(scores_of(labels, 3), scores_of(labels, 3), labels, CLASSES)

    assert [pair.images for pair in pairs] == [2, 0, 1]
    assert (pairs[1].recall, pairs[1].paired.retention, pairs[1].paired.loss_p()) == (None, None, 1)
    assert balanced_accuracy(pair.recall for pair in pairs) == 1
    assert balanced_accuracy([None]) is None


def test_a_label_has_two_classes_of_images() -> None:
    labels = np.array([[1, 0], [1, 1], [0, 1], [0, 0]])
    reference = labels.astype(np.float32)
    own = np.ones_like(reference)
    pairs = pairs_of(own, reference, labels, LABELS)

    assert [(pair.index, pair.applies, pair.images, pair.recall) for pair in pairs] == [
        (0, True, 2, 1),
        (0, False, 2, 0),
        (1, True, 2, 1),
        (1, False, 2, 0),
    ]
    assert {pair.reference_recall for pair in pairs} == {1}


def test_one_label_alone_is_a_label_too() -> None:
    labels = np.array([[1], [0], [0]])
    pairs = pairs_of(labels.astype(np.float32), labels.astype(np.float32), labels, LABELS)

    assert [(pair.index, pair.applies, pair.images) for pair in pairs] == [(0, True, 1), (0, False, 2)]


@pytest.mark.parametrize("images", [1, 4, 299])
def test_the_hidden_loss_is_the_exact_limit_of_a_share(images: int) -> None:
    limit = binomtest(0, images).proportion_ci(confidence_level=0.9, method="exact").high

    assert hidden_loss(images) == pytest.approx(limit)


def test_without_images_everything_may_be_lost() -> None:
    assert hidden_loss(0) == 1


@pytest.mark.parametrize("retention", [0.5, 0.9, 0.99])
def test_so_many_images_show_a_retention_and_one_less_does_not(retention: float) -> None:
    images = images_to_show(retention)

    assert images is not None
    assert hidden_loss(images) <= 1 - retention < hidden_loss(images - 1)


def test_no_number_of_images_shows_that_nothing_is_lost() -> None:
    assert images_to_show(1) is None
    assert images_to_show(0) == 1
