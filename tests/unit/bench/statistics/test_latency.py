"""Percentiles, and whether so many samples support them."""

import numpy as np
import pytest
from scipy.stats import binom

from bench.statistics import latency


def test_percentiles_are_nanoseconds() -> None:
    summary = latency.summarise(range(1, 1001), 1, None)

    assert (summary.min_ns, summary.max_ns, summary.mean_ns, summary.p50_ns) == (1.0, 1000.0, 500.5, 500.5)
    assert summary.p99_ns == pytest.approx(990.01)


@pytest.mark.parametrize(("share", "needed"), [(0.90, 44), (0.95, 90), (0.99, 459)])
def test_the_samples_a_percentile_needs_are_those_of_loadgens_early_stopping(
    share: float, needed: int
) -> None:
    assert latency.fewest_samples(share) == needed
    assert latency.upper_bound(np.arange(needed, dtype=float), share) == needed - 1
    assert latency.upper_bound(np.arange(needed - 1, dtype=float), share) is None


@pytest.mark.parametrize("count", [100, 500, 1200])
@pytest.mark.parametrize("share", [0.90, 0.95])
def test_the_upper_bound_is_the_first_order_statistic_with_the_confidence(count: int, share: float) -> None:
    rank = int(latency.upper_bound(np.arange(1, count + 1, dtype=float), share) or 0)

    assert binom.cdf(rank - 1, count, share) >= latency.CONFIDENCE
    assert binom.cdf(rank - 2, count, share) < latency.CONFIDENCE


def test_the_upper_bound_holds_the_quantile_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    truth = -np.log(1 - 0.95)

    held = [
        (latency.upper_bound(np.sort(random.exponential(size=200)), 0.95) or 0) >= truth for _ in range(2000)
    ]

    assert np.mean(held) >= 0.985


def test_what_too_few_samples_do_not_support_is_null() -> None:
    summary = latency.summarise([1_000_000] * 100, 1, None)

    assert summary.p95_ns == 1e6
    assert summary.p95_upper_ns == 1e6
    assert summary.p99_ns is None
    assert summary.p99_upper_ns is None


def test_a_limit_of_the_p95_is_compared_with_the_p50_where_there_are_too_few_samples() -> None:
    enough = latency.summarise([1_000_000] * 50 + [9_000_000] * 50, 1, None)
    few = latency.summarise([1_000_000] * 20, 1, None)

    assert latency.p95_or_p50(enough) == (9e6, "p95")
    assert latency.p95_or_p50(few) == (1e6, "p50")
