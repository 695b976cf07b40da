"""Variances are shared as far as they agree."""

import math

import numpy as np
import pytest
from scipy import special

from bench.statistics.replication import Estimate, trimmed_estimate
from bench.statistics.shared_variance import digamma, share_variances, trigamma


def estimates(spreads: list[float], processes: int = 5, seed: int = 0) -> list[Estimate]:
    random = np.random.default_rng(seed)
    found = [trimmed_estimate(random.normal(0, spread, processes).tolist()) for spread in spreads]
    return [one for one in found if one is not None]


@pytest.mark.parametrize("value", [0.01, 0.5, 2.0, 7.3, 40.0, 10_000.0])
def test_the_special_functions_are_scipys(value: float) -> None:
    assert digamma(value) == pytest.approx(special.digamma(value), rel=1e-10)
    assert trigamma(value) == pytest.approx(special.polygamma(1, value), rel=1e-10)


def test_variances_that_agree_become_one() -> None:
    own = estimates([0.01] * 9)
    shared = share_variances(own)

    assert all(one.freedom > 8 for one in shared)
    assert max(one.error for one in shared) / min(one.error for one in shared) < 1.5
    assert [one.mean for one in shared] == [one.mean for one in own]


def test_variances_that_do_not_agree_stay_apart() -> None:
    own = estimates([0.001, 0.003, 0.01, 0.03, 0.1], processes=12)
    shared = share_variances(own)

    ratios = [after.error / before.error for after, before in zip(shared, own, strict=True)]
    assert all(0.7 < ratio < 1.6 for ratio in ratios)
    assert all(one.freedom <= own[0].freedom + 3 for one in shared)


def test_a_single_estimate_and_one_without_variance_keep_their_own() -> None:
    (alone,) = estimates([0.01])
    exact = Estimate(0.0, 0.0, 0.0, 4)

    assert share_variances([alone]) == [alone]
    assert share_variances([exact, *estimates([0.01] * 3)])[0] == exact


def test_a_shared_variance_is_as_wide_as_it_says() -> None:
    """t = mean ÷ error has the quantiles of Student's t with the shared degrees of freedom."""
    scaled = [
        one.mean / one.error
        for seed in range(400)
        for one in share_variances(estimates([0.02] * 5, seed=seed))
    ]

    assert np.mean(np.abs(scaled) > 2.09) == pytest.approx(0.05, abs=0.015)
    assert math.isfinite(sum(scaled))


def test_no_estimate_gets_more_degrees_of_freedom_than_all_have() -> None:
    """Two variances that agree show as much as both together, and not everything."""
    equal = [Estimate(0.0, 0.0, 0.02, 4), Estimate(0.0, 0.0, 0.02, 4)]

    assert [one.freedom for one in share_variances(equal)] == [8, 8]
