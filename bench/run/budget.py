"""Which limits of a profile's budget a row breaks. Pure: values in, sentences out."""

from bench.devices.projection.projected import Projected
from bench.devices.terms import Provenance
from bench.report.schema import Latency
from bench.report.summaries import Summary
from device_profiles.settings import Budget

_BYTES_PER_MB = 1e6


def over_budget(summary: Summary, size_bytes: int, budget: Budget, provenance: Provenance) -> list[str]:
    """Return a sentence for each limit that a row's summary breaks; a proxy's latency is not judged."""
    kept = None if summary.accuracy is None else summary.accuracy.retention
    found = [
        _over_latency(summary.latency_ms, budget.p95_ms if provenance == "measured" else None),
        _over("peak memory", summary.memory_mb.peak, budget.memory_mb, "MiB"),
        _over("size", size_bytes / _BYTES_PER_MB, budget.size_mb, "MB"),
    ]
    if kept is not None and budget.retention is not None and kept.value < budget.retention:
        found.append(f"retention {kept.value:.3f} is below the budget's {budget.retention:g}")
    return [sentence for sentence in found if sentence is not None]


def projected_over_budget(projected: Projected, budget: Budget) -> list[str]:
    """Return a sentence if all of a projected range breaks the limit of latency."""
    if budget.p95_ms is None or projected.low <= budget.p95_ms:
        return []
    reach = f"{projected.low:.3g} to {projected.high:.3g} ms"
    return [f"projected latency {reach} is over the budget's {budget.p95_ms:g} ms"]


def _over_latency(latency: Latency, limit_ms: float | None) -> str | None:
    """Judge p95, and p50 where the samples do not support a p95: what is over with that is over with both."""
    if limit_ms is None or latency.p95 is not None:
        return _over("p95 latency", latency.p95, limit_ms, "ms")
    return _over("p50 latency", latency.p50, limit_ms, "ms") or (
        f"p95 latency is not judged against the budget: {latency.samples} samples are too few for a p95"
    )


def _over(what: str, value: float | None, limit: float | None, unit: str) -> str | None:
    if value is None or limit is None or value <= limit:
        return None
    return f"{what} {value:.4g} {unit} is over the budget's {limit:g} {unit}"
