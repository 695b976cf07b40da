"""Percentiles of inference times, and whether so many samples support them. Pure functions on samples."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.record import Record
from bench.statistics.replication import Interval
from bench.statistics.steadiness import relative_range_of

# Of the upper bounds: the confidence that MLPerf LoadGen's early stopping works with.
CONFIDENCE = 0.99
SHARES = {"p90": 0.90, "p95": 0.95, "p99": 0.99}


class Latency(Record):
    """Nanoseconds of one inference, by linear interpolation between order statistics (numpy's default)."""

    p50_ns: float
    """The median."""
    p90_ns: float | None
    """The 90th percentile; null where there are too few samples for it."""
    p95_ns: float | None
    """The 95th percentile; null where there are too few samples for it."""
    p99_ns: float | None
    """The 99th percentile; null where there are too few samples for it."""
    p90_upper_ns: float | None
    """An upper bound of p90 with 99 % confidence; null with too few samples for one."""
    p95_upper_ns: float | None
    """An upper bound of p95 with 99 % confidence; null with too few samples for one."""
    p99_upper_ns: float | None
    """An upper bound of p99 with 99 % confidence; null with too few samples for one."""
    unsupported: str | None
    """Which percentiles the samples do not support, and how many they would need; null if all are there."""
    mean_ns: float
    """The mean of all samples."""
    min_ns: float
    """The smallest sample."""
    max_ns: float
    """The largest sample."""
    relative_range: float
    """(p90 - p10) / p50 of all samples."""
    p50_ci95_ns: tuple[float, float] | None
    """The 95 % interval of the median, made over processes; null with fewer than five."""
    samples: int
    """How many inferences were timed."""
    processes: int
    """In how many fresh processes they were timed."""


def summarise(samples_ns: Sequence[int], processes: int, interval: Interval | None) -> Latency:
    """Summarise at least one sample; `interval`: of the median, in nanoseconds, over `processes`."""
    ordered = np.sort(np.asarray(samples_ns, dtype=np.float64))
    upper = {name: upper_bound(ordered, share) for name, share in SHARES.items()}
    percentile = {
        name: None if upper[name] is None else float(np.quantile(ordered, share))
        for name, share in SHARES.items()
    }
    return Latency(
        p50_ns=float(np.median(ordered)),
        p90_ns=percentile["p90"],
        p95_ns=percentile["p95"],
        p99_ns=percentile["p99"],
        p90_upper_ns=upper["p90"],
        p95_upper_ns=upper["p95"],
        p99_upper_ns=upper["p99"],
        unsupported=_unsupported(len(ordered)),
        mean_ns=float(ordered.mean()),
        min_ns=float(ordered[0]),
        max_ns=float(ordered[-1]),
        relative_range=relative_range_of(samples_ns),
        p50_ci95_ns=None if interval is None else (interval.low, interval.high),
        samples=len(ordered),
        processes=processes,
    )


def p95_or_p50(latency: Latency) -> tuple[float, Literal["p95", "p50"]]:
    """Return what a limit of the p95 is compared with, in nanoseconds, and which percentile that is.

    Where there are too few samples for the p95, it is the p50: if the p50 exceeds the limit, so does the p95.
    """
    return (latency.p50_ns, "p50") if latency.p95_ns is None else (latency.p95_ns, "p95")


def _unsupported(samples: int) -> str | None:
    needs = {name: fewest_samples(share) for name, share in SHARES.items()}
    missing = [f"{name} needs {fewest}" for name, fewest in needs.items() if samples < fewest]
    if not missing:
        return None
    return f"{samples} samples give no upper bound with {CONFIDENCE:.0%} confidence: {', '.join(missing)}"


def upper_bound(ordered: npt.NDArray[np.float64], share: float) -> float | None:
    """Return the smallest order statistic that is above the quantile `share` with 99 % confidence.

    `ordered`: ascending. The k-th of n is above it with probability P(Binomial(n, share) < k) (David and
    Nagaraja, Order Statistics, 7.1; MLPerf LoadGen's early stopping rests on the same). None if even the
    largest is not. The samples are taken as independent, which those of one process are not quite.
    """
    below = np.cumsum(_binomial(len(ordered), share))
    rank = int(np.searchsorted(below[:-1], CONFIDENCE)) + 1
    return float(ordered[rank - 1]) if rank <= len(ordered) else None


def fewest_samples(share: float) -> int:
    """Return how many samples the quantile `share` needs for an upper bound: the largest of them is one."""
    return int(np.ceil(np.log(1 - CONFIDENCE) / np.log(share)))


def _binomial(count: int, share: float) -> npt.NDArray[np.float64]:
    """Return the probabilities of 0 to `count` successes in `count` trials, by their logarithms."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    successes = np.arange(count + 1)
    ways = logs[-1] - logs - logs[::-1]
    return np.asarray(np.exp(ways + successes * np.log(share) + successes[::-1] * np.log1p(-share)))
