"""Which limits of a profile's budget a row breaks. Pure: values in, sentences out."""

from bench.reports.summaries import Summary
from device_profiles.profile import Budget

_BYTES_PER_MB = 1e6


def over_budget(summary: Summary, size_bytes: int, budget: Budget) -> list[str]:
    """Return a sentence for each limit that a row's summary breaks."""
    kept = None if summary.accuracy is None else summary.accuracy.retention
    found = [
        _over("p95 latency", summary.latency_ms.p95, budget.p95_ms, "ms"),
        _over("peak memory", summary.memory_mb.peak, budget.memory_mb, "MiB"),
        _over("size", size_bytes / _BYTES_PER_MB, budget.size_mb, "MB"),
    ]
    if kept is not None and budget.retention is not None and kept.value < budget.retention:
        found.append(f"retention {kept.value:.3f} is below the budget's {budget.retention:g}")
    return [sentence for sentence in found if sentence is not None]


def _over(what: str, value: float | None, limit: float | None, unit: str) -> str | None:
    if value is None or limit is None or value <= limit:
        return None
    return f"{what} {value:.4g} {unit} is over the budget's {limit:g} {unit}"
