"""Several labels of an image are taken together: the image is the unit."""

from dataclasses import replace
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from bench.statistics.accuracy import Paired
from bench.statistics.by_image import Changes, RightByImage
from bench.statistics.wilson import wilson_interval

Right = npt.NDArray[np.bool_]


def alone(right: Right, reference: Right) -> Paired:
    """As if the labels of an image were independent."""
    return Paired.of(right.reshape(-1, 1), reference.reshape(-1, 1))


def drawn(images: int, each: int, together: float, seed: int) -> tuple[Right, Right]:
    """A reference, and a variant that changes some images; the labels of one change `together` or apart."""
    random = np.random.default_rng(seed)
    reference = random.random((images, each)) < 0.85
    of_image = np.broadcast_to(random.random((images, 1)), (images, each))
    of_label = random.random((images, each))
    changed = np.where(random.random((images, 1)) < together, of_image, of_label) < 0.06
    return np.where(changed, ~reference, reference), reference


def test_with_one_decision_each_the_formulas_are_the_usual_ones() -> None:
    right, reference = drawn(400, 1, 0, seed=1)
    paired, by_image = Paired.of(right, reference), RightByImage.of(right, reference)
    low, high = paired.retention_ci95() or (0.0, 0.0)

    assert paired.by_image is None
    assert np.log(high / low) / 2 == pytest.approx(1.959964 * by_image.variance_of_log_retention() ** 0.5)
    together = replace(paired, by_image=by_image)
    assert together.loss_p() == pytest.approx(paired.loss_p())
    assert together.mcnemar_p() == pytest.approx(paired.mcnemar_p())


def test_labels_that_say_the_same_are_worth_one() -> None:
    right, reference = drawn(300, 1, 0, seed=2)
    five = Paired.of(np.repeat(right, 5, axis=1), np.repeat(reference, 5, axis=1))
    one = Paired.of(right, reference)

    assert five.retention_ci95() == pytest.approx(one.retention_ci95())
    assert five.images_to_decide(0.98) == one.images_to_decide(0.98)
    assert (five.mcnemar_p(), five.loss_p()) == pytest.approx((one.mcnemar_p(), one.loss_p()))
    assert (five.images, five.decisions, one.decisions) == (300, 1500, 300)


def test_labels_that_change_apart_are_worth_as_many() -> None:
    right, reference = drawn(4000, 4, 0, seed=3)
    low, high = Paired.of(right, reference).retention_ci95() or (0.0, 0.0)
    expected = alone(right, reference).retention_ci95()

    assert (low, high) == pytest.approx(expected, abs=1e-3)


def test_no_change_of_many_labels_proves_no_more_than_one_label() -> None:
    right = np.ones((128, 14), dtype=np.bool_)

    one = alone(right[:, :1], right[:, :1])
    assert Paired.of(right, right).retention_ci95() == pytest.approx(one.retention_ci95())


def test_the_interval_holds_the_truth_in_about_95_of_100_and_that_of_single_labels_does_not() -> None:
    right, reference = drawn(60_000, 6, 0.9, seed=4)
    truth = right.sum() / reference.sum()
    inside = {True: 0, False: 0}
    for seed in range(300):
        sample = drawn(256, 6, 0.9, seed=100 + seed)
        for is_together, paired in ((True, Paired.of(*sample)), (False, alone(*sample))):
            low, high = paired.retention_ci95() or (0.0, 0.0)
            inside[is_together] += low <= truth <= high

    assert 276 <= inside[True] <= 297
    assert inside[False] < 225


def test_the_test_of_signs_counts_every_case() -> None:
    by_image = RightByImage(3, (3, 1, 2, 0, 3), (1, 1, 3, 3, 2))
    paired = Paired(images=5, both=5, only_variant=4, only_reference=5, by_image=by_image)
    sums = [sum(np.array(signs) * [2, -1, -3, 1]) for signs in product((1, -1), repeat=4)]

    assert by_image.gains == (2, 0, -1, -3, 1)
    assert paired.loss_p() == np.mean([value <= -1 for value in sums])
    assert paired.mcnemar_p() == min(1, 2 * np.mean([value <= -1 for value in sums]))


def test_the_agreement_of_single_decisions_has_wilsons_interval() -> None:
    changes = Changes.of([3, 7], images=200, each=1)

    assert changes.interval == wilson_interval(198, 200)
    assert changes.agreement == 0.99


def test_the_agreement_of_labels_counts_images() -> None:
    none, one = Changes.of([], 128, 14), Changes.of([5], 128, 14)
    whole, apart = Changes.of(range(280), 400, 14), Changes.of(range(0, 5600, 20), 400, 14)

    assert none.interval == pytest.approx(wilson_interval(128, 128))
    assert one.interval[0] <= none.interval[0]
    assert whole.agreement == apart.agreement == 0.95
    assert whole.interval == pytest.approx(wilson_interval(380, 400), abs=0.002)
    assert apart.interval == pytest.approx(wilson_interval(5320, 5600), abs=0.002)


def test_where_all_decisions_changed_there_is_an_interval() -> None:
    assert Changes.of(range(20), 10, 2).interval == pytest.approx(wilson_interval(0, 10))
