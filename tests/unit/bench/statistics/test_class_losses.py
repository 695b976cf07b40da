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
    healthy, ill = changed(0, 0, 12), changed(1, 4, images=4)

    assert lost_classes([healthy, ill], 0.98, positive=1) == [ill]
    assert lost_classes([healthy, ill], 0.98, positive=None) == []
    assert in_order([healthy, ill], 1) == [ill, healthy]


def test_a_significant_loss_above_the_limit_is_none() -> None:
    assert lost_classes([changed(0, 8)], 0.98, None) == []
    assert lost_classes([changed(0, 30)], 0.98, None) != []


def test_a_class_that_the_reference_never_recognises_cannot_be_lost() -> None:
    assert lost_classes([ClassPair(0, Paired(20, 0, 0, 0))], 0.98, 0) == []
