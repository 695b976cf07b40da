"""How much faster each row is than its own format's fp32. Pure: rows in, ratios out."""

from collections.abc import Iterable

from bench.reports.records import Run
from bench.variants import Precision


def speed_ups(runs: Iterable[Run]) -> dict[str, float]:
    """Return, by variant, the median latency of the format's fp32 ÷ the row's own.

    Rows whose format has no completed fp32 on the same provider and threads are left out.
    """
    completed = {
        (run.format, run.provider, run.threads, run.precision_ran.requested): run.latency_ms.p50
        for run in runs
        if run.latency_ms is not None
    }
    ratios = {}
    for (name, provider, threads, precision), median_ms in completed.items():
        reference_ms = completed.get((name, provider, threads, Precision.FP32))
        if reference_ms is not None:
            ratios[f"{name}-{precision.value}"] = reference_ms / median_ms
    return ratios
