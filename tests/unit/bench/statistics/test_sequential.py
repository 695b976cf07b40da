"""Alpha spending: all tests together err as often as one would."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from bench.statistics.sequential import nominal_errors


def test_a_single_test_has_the_whole_error() -> None:
    assert nominal_errors(0.05, (8,)) == pytest.approx((0.05,), rel=1e-3)


def test_two_tests_are_those_of_the_tables() -> None:
    """At one-sided 2.5 %, as R's gsDesign has them (sfLDPocock)."""
    bounds = [NormalDist().inv_cdf(1 - error) for error in nominal_errors(0.025, (1, 2))]

    assert bounds == pytest.approx([2.1570, 2.2010], abs=0.003)


@pytest.mark.parametrize("error", [0.05, 0.005])
def test_a_walk_crosses_its_bounds_as_often_as_the_error_says(error: float) -> None:
    counts = tuple(range(5, 31))
    bounds = [NormalDist().inv_cdf(1 - nominal) for nominal in nominal_errors(error, counts)]
    walks = np.random.default_rng(1).standard_normal((100_000, counts[-1])).cumsum(axis=1)

    crossed = (walks[:, 4:] / np.sqrt(counts) > bounds).any(axis=1).mean()

    assert crossed == pytest.approx(error, abs=4 * math.sqrt(error / 100_000))


def test_more_error_is_spent_at_the_first_test_than_at_any_later_one() -> None:
    first, *later = nominal_errors(0.05, tuple(range(5, 51)))

    assert 0.005 < first < 0.01
    assert all(0.003 < error < 0.02 for error in later)
