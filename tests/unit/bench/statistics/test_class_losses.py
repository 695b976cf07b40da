"""Which classes are lost by more than chance, of several that are tested together."""

import numpy as np
import pytest

from bench.statistics.accuracy import Paired
from bench.statistics.by_class import ClassPair
from bench.statistics.class_losses import in_order, lost_classes


def changed(index: int, lost: int, gained: int = 0, images: int = 1000) -> ClassPair:
    return ClassPair(index, Paired(images, images - lost - gained, gained, lost))


def test_a_class_without_changes_takes_no_strength_from_another_one() -> None:
    halved = changed(0, 4)

    assert lost_classes([halved, *(changed(index, 0) for index in range(1, 9))], 0.9999, None) == [halved]
    assert lost_classes([halved, *(changed(index, 9, 9) for index in range(1, 9))], 0.9999, None) == []


@pytest.mark.parametrize("classes", [1, 3, 9])
def test_equal_variants_lose_a_class_by_chance_in_at_most_one_of_ten(classes: int) -> None:
    rng = np.random.default_rng(classes)
    false_alarms = 0
    for _ in range(2000):
        changes = rng.integers(0, 30, classes)
        pairs = [
            changed(index, int(lost := rng.binomial(count, 0.5)), int(count) - int(lost), 100)
            for index, count in enumerate(changes)
        ]
        false_alarms += bool(lost_classes(pairs, 1.0, None))

    assert false_alarms / 2000 < 0.12


def test_the_positive_class_is_tested_by_itself_and_comes_first() -> None:
    healthy, ill = changed(0, 0, 12), changed(1, 4, images=100)

    assert lost_classes([healthy, ill], 0.98, positive=1) == [ill]
    assert lost_classes([healthy, ill], 0.98, positive=None) == []
    assert in_order([healthy, ill], 1) == [ill, healthy]


@pytest.mark.parametrize(("images", "before"), [(3, 3), (4, 3), (4, 2), (9, 3)])
def test_few_images_that_are_all_missed_are_a_loss(images: int, before: int) -> None:
    vanished = ClassPair(1, Paired(images, 0, 0, before))
    one_left = ClassPair(1, Paired(images, 1, 0, before - 1))

    assert lost_classes([vanished], 0.99, positive=1) == [vanished]
    assert lost_classes([one_left], 0.99, positive=1) == []


def test_of_many_small_classes_two_images_may_be_missed_by_chance() -> None:
    unchanged = [ClassPair(index, Paired(2, 2, 0, 0)) for index in range(1, 9)]

    assert lost_classes([ClassPair(0, Paired(2, 0, 0, 2)), *unchanged], 0.99, positive=8) == []


@pytest.mark.parametrize("recall", [0.2, 0.4, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("images", [2, 4, 12])
def test_two_networks_of_equal_recall_lose_a_small_class_in_at_most_one_of_ten(
    images: int, recall: float
) -> None:
    random = np.random.default_rng(images)
    own, other = (random.random((4000, images)) < recall for _ in range(2))
    pairs = [ClassPair(0, Paired.of(a[:, None], b[:, None])) for a, b in zip(own, other, strict=True)]

    assert sum(bool(lost_classes([pair], 0.99, positive=0)) for pair in pairs) / 4000 <= 0.11


def test_a_significant_loss_above_the_limit_is_none() -> None:
    assert lost_classes([changed(0, 8)], 0.98, None) == []
    assert lost_classes([changed(0, 30)], 0.98, None) != []


def test_a_class_that_the_reference_never_recognises_cannot_be_lost() -> None:
    assert lost_classes([ClassPair(0, Paired(20, 0, 0, 0))], 0.98, 0) == []
