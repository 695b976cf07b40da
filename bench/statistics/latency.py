"""Percentiles of inference times. Pure functions on samples; it knows no case and no clock."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_NS_PER_MS = 1e6


@dataclass(frozen=True)
class LatencySummary:
    """Milliseconds over all samples, by linear interpolation between order statistics (numpy's default)."""

    p50: float
    p90: float
    p95: float
    p99: float
    mean: float
    min: float
    max: float


def summarise_ns(samples_ns: Sequence[int]) -> LatencySummary:
    """Summarise at least one sample in nanoseconds."""
    samples_ms = np.asarray(samples_ns, dtype=np.float64) / _NS_PER_MS
    p50, p90, p95, p99 = (float(value) for value in np.percentile(samples_ms, [50, 90, 95, 99]))
    return LatencySummary(
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        mean=float(samples_ms.mean()),
        min=float(samples_ms.min()),
        max=float(samples_ms.max()),
    )
