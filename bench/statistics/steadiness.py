"""Whether a series of inference times has reached a steady level, drifts, or settles. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WINDOW = 5
_WINDOWS = 3
_WITHIN = 0.05


def is_steady(samples_ns: Sequence[int]) -> bool:
    """Return whether the level is steady: the medians of the last three windows of five lie within 5 %."""
    if len(samples_ns) < _WINDOWS * WINDOW:
        return False
    last = np.asarray(samples_ns[-_WINDOWS * WINDOW :], dtype=np.float64).reshape(_WINDOWS, WINDOW)
    medians = np.median(last, axis=1)
    return bool(medians.max() <= (1 + _WITHIN) * medians.min())


def relative_range_of(samples_ns: Sequence[int]) -> float:
    """Return the relative range of samples: (p90 − p10) ÷ median."""
    low, middle, high = np.percentile(samples_ns, [10, 50, 90])
    return float((high - low) / middle)


def drift_of(levels: Sequence[float]) -> float:
    """Return by which share the last third of a series is above its first; 0 with fewer than three values."""
    third = len(levels) // 3
    if third == 0:
        return 0.0
    return float(np.median(levels[-third:]) / np.median(levels[:third]) - 1)


@dataclass(frozen=True)
class Settled:
    """`level`: the median of a series' last quarter; `since`: from which value on they stay near.

    `since` is None if not even the last quarter does.
    """

    level: float
    since: int | None


def settle(levels: Sequence[float]) -> Settled:
    """Find where a series settles: nine tenths of the later values are within 5 %."""
    values = np.asarray(levels, dtype=np.float64)
    quarter = max(1, len(values) // 4)
    level = float(np.median(values[-quarter:]))
    near = np.abs(values / level - 1) <= _WITHIN
    following = near[::-1].cumsum()[::-1] / np.arange(len(values), 0, -1)
    steady = np.flatnonzero(near & (following >= 0.9))
    since = int(steady[0]) if len(steady) and steady[0] <= len(values) - quarter else None
    return Settled(level, since)
