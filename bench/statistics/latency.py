"""Percentiles of inference times, and whether so many samples support them. Pure functions on samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_NS_PER_MS = 1e6
# Of the upper bounds: the confidence that MLPerf LoadGen's early stopping works with.
CONFIDENCE = 0.99
SHARES = {"p90": 0.90, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class LatencySummary:
    """Milliseconds over all samples, by linear interpolation between order statistics (numpy's default).

    `percentiles`, `upper`: by name (p90, p95, p99) the percentile and an upper bound of it, both None where
    there are too few samples for that bound.
    """

    p50: float
    mean: float
    min: float
    max: float
    percentiles: dict[str, float | None]
    upper: dict[str, float | None]


def summarise_ns(samples_ns: Sequence[int]) -> LatencySummary:
    """Summarise at least one sample in nanoseconds."""
    samples_ms = np.sort(np.asarray(samples_ns, dtype=np.float64) / _NS_PER_MS)
    upper = {name: upper_bound(samples_ms, share) for name, share in SHARES.items()}
    return LatencySummary(
        p50=float(np.median(samples_ms)),
        mean=float(samples_ms.mean()),
        min=float(samples_ms[0]),
        max=float(samples_ms[-1]),
        percentiles={
            name: None if upper[name] is None else float(np.quantile(samples_ms, share))
            for name, share in SHARES.items()
        },
        upper=upper,
    )


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
