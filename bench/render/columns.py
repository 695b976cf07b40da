"""The columns of a report's table: where each value comes from, how it is written, and what is best in it.

One list serves the terminal and the CSV file. Pure: it draws nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from bench.reports.records import Report, Run

_BYTES_PER_MB = 1e6
_FEWEST_SAMPLES_FOR_P99 = 100


class Best(Enum):
    """Which end of a column is the good one."""

    LOWEST = "lowest"
    HIGHEST = "highest"
    NEITHER = "neither"


@dataclass(frozen=True)
class Column:
    """`key`: its name in CSV, with its unit; `title`: on the terminal; `essential`: kept at 80 columns."""

    key: str
    title: str
    value: Callable[[Run], float | None]
    digits: int
    best: Best = Best.NEITHER
    essential: bool = False
    suffix: str = ""


def columns(speed_up: Mapping[str, float]) -> list[Column]:
    """Return the numeric columns in their order; `speed_up` by variant."""
    return [
        Column("p50_ms", "p50\nms", lambda run: _latency(run, "p50"), 2, Best.LOWEST, True),
        Column("p95_ms", "p95\nms", lambda run: _latency(run, "p95"), 2, Best.LOWEST, True),
        Column("p99_ms", "p99\nms", _p99, 2, Best.LOWEST),
        Column("speed_up", "vs\nfp32", lambda run: speed_up.get(run.variant), 2, Best.HIGHEST, True, "×"),
        Column("load_ms", "load\nms", lambda run: run.load_ms, 0),
        Column("first_inference_ms", "first\nms", lambda run: run.first_inference_ms, 1),
        Column("peak_memory_mib", "peak\nMiB", _memory, 0, Best.LOWEST, True),
        Column("size_mb", "size\nMB", _size, 2, Best.LOWEST, True),
        Column("top1", "accu-\nracy", lambda run: _accuracy(run, "top1"), 3, Best.HIGHEST, True),
        Column("auc", "AUC", lambda run: _accuracy(run, "auc"), 3, Best.HIGHEST),
        Column("retention", "reten-\ntion", _retention, 3, Best.HIGHEST, True),
        Column("retention_low", "95 %\nlow", lambda run: _retention_end(run, 0), 3),
        Column("retention_high", "95 %\nhigh", lambda run: _retention_end(run, 1), 3),
        Column("agreement", "agree-\nment", lambda run: _accuracy(run, "agreement"), 3, Best.HIGHEST),
    ]


def best_variants(column: Column, report: Report) -> set[str]:
    """Return the variants that share a column's best value as it is written; none if most of them do."""
    written = {
        run.variant: round(value, column.digits)
        for run in report.runs
        if run.status == "completed" and (value := column.value(run)) is not None
    }
    if column.best is Best.NEITHER or not written:
        return set()
    best = min(written.values()) if column.best is Best.LOWEST else max(written.values())
    shared_by = {variant for variant, value in written.items() if value == best}
    return shared_by if 2 * len(shared_by) <= len(written) else set()


def _latency(run: Run, name: str) -> float | None:
    return None if run.latency_ms is None else float(getattr(run.latency_ms, name))


def _size(run: Run) -> float | None:
    return None if run.size_bytes is None else run.size_bytes / _BYTES_PER_MB


def _p99(run: Run) -> float | None:
    """Return the 99th percentile; of fewer samples than a hundred it is hardly more than the slowest."""
    if run.latency_ms is None or run.latency_ms.samples < _FEWEST_SAMPLES_FOR_P99:
        return None
    return run.latency_ms.p99


def _memory(run: Run) -> float | None:
    return None if run.memory_mb is None else run.memory_mb.peak


def _accuracy(run: Run, name: str) -> float | None:
    value = None if run.accuracy is None else getattr(run.accuracy, name)
    return None if value is None else float(value)


def _retention(run: Run) -> float | None:
    return None if run.accuracy is None or run.accuracy.retention is None else run.accuracy.retention.value


def _retention_end(run: Run, end: int) -> float | None:
    if run.accuracy is None or run.accuracy.retention is None or run.accuracy.retention.ci95 is None:
        return None
    return run.accuracy.retention.ci95[end]
