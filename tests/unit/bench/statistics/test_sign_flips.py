"""The exact tests: equal to whole-number arithmetic where that is quick, and quick where it is not."""

import math
from itertools import product

import numpy as np
import pytest

from bench.statistics import sign_flips
from bench.statistics.accuracy import Paired
from bench.statistics.by_image import RightByImage
from bench.statistics.sign_flips import binomial_tail, chance_of


def counted(coins: int, heads: int) -> float:
    return sum(math.comb(coins, count) for count in range(heads + 1)) / (1 << coins)


@pytest.mark.parametrize("coins", [1, 2, 9, 60, 1000, 1001, 3000])
def test_a_binomial_tail_is_that_of_whole_numbers(coins: int) -> None:
    for heads in {0, 1, coins // 5, coins // 2 - 1, coins // 2, coins // 2 + 1, coins - 1, coins} & {
        *range(coins + 1)
    }:
        assert binomial_tail(coins, heads) == pytest.approx(counted(coins, heads), rel=1e-9)


def test_without_coins_the_chance_is_one_and_fewer_heads_than_none_are_impossible() -> None:
    assert binomial_tail(0, 0) == 1
    assert binomial_tail(5, -1) == 0


def test_a_hundred_thousand_changes_have_an_exact_chance() -> None:
    changed = 100_000
    paired = Paired(images=10**6, both=800_000, only_variant=49_700, only_reference=50_300)
    # The normal distribution with a correction for continuity, whose error is about 1 ÷ changes.
    expected = 0.5 * math.erfc((300 - 0.5) / math.sqrt(changed / 2))

    assert paired.loss_p() == pytest.approx(expected, abs=1e-6)
    assert paired.mcnemar_p() == pytest.approx(2 * expected, abs=2e-6)
    assert binomial_tail(changed, 0) == 0
    assert binomial_tail(changed, 49_999) + math.comb(changed, 50_000) / (1 << changed) / 2 == pytest.approx(
        0.5, abs=1e-9
    )


def test_every_sign_counts_the_same() -> None:
    differences = [2, -1, -3, 1, 1]
    sums = [int(np.dot(signs, differences)) for signs in product((1, -1), repeat=5)]

    assert chance_of(differences) == np.mean([value >= 0 for value in sums])


def test_differences_of_one_size_are_coins() -> None:
    assert chance_of([3] * 9 + [-3] * 2 + [0]) == pytest.approx(counted(11, 2))


@pytest.mark.parametrize("shift", [-40, -3, 0, 1, 25])
def test_many_differences_have_the_chance_of_one_by_one_addition(
    shift: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    differences = np.random.default_rng(shift + 50).integers(-7, 8, 2000)
    differences[: abs(shift)] = np.abs(differences[: abs(shift)]) * np.sign(shift)
    expected = chance_of(differences)
    monkeypatch.setattr(sign_flips, "_MOST_ADDITIONS", 0)

    assert chance_of(differences) == pytest.approx(expected, abs=1e-12)


def test_a_sum_beyond_all_chance_is_found_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_flips, "_MOST_ADDITIONS", 0)

    assert chance_of([1, 2] * 200) < 1e-15
    assert chance_of([-1, -2] * 200) == 1


def test_a_hundred_thousand_images_with_several_labels_have_a_chance() -> None:
    random = np.random.default_rng(6)
    own, reference = (random.integers(0, 15, 100_000) for _ in range(2))
    by_image = RightByImage(14, tuple(map(int, own)), tuple(map(int, reference)))
    gains = own - reference
    paired = Paired(100_000, 0, int(gains.clip(0).sum()), int((-gains).clip(0).sum()), by_image)
    deviation = float(np.sqrt(np.square(gains).sum()))

    expected = 0.5 * math.erfc((-float(gains.sum()) - 0.5) / deviation / math.sqrt(2))
    assert paired.loss_p() == pytest.approx(expected, abs=1e-4)
