"""How much faster each row is than its own format's fp32. Pure: rows in, ratios out."""

from collections.abc import Iterable

from bench.reports.records import Run
from bench.variants import Precision

_Peers = tuple[str, str, int, int]


def speed_ups(runs: Iterable[Run]) -> dict[str, float]:
    """Return, by variant, the median latency of the format's fp32 ÷ the row's own.

    Rows are left out whose fp32 did not complete on the same provider and threads, or took its turns in
    another wave: the machine may have been in another mood then.
    """
    completed = [run for run in runs if run.latency_ms is not None]
    reference_ms = {
        _peers(run): run.latency_ms.p50
        for run in completed
        if run.latency_ms and run.precision_ran.requested is Precision.FP32
    }
    return {
        run.variant: reference_ms[_peers(run)] / run.latency_ms.p50
        for run in completed
        if run.latency_ms and _peers(run) in reference_ms
    }


def _peers(run: Run) -> _Peers:
    assert run.raw is not None
    return run.format, run.provider, run.threads, run.raw.processes[0].wave
