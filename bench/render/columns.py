"""The columns of a report's table: where each value comes from, how it is written, and what is best in it.

One list serves the terminal and the CSV file. Pure: it draws nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bench.report.schema import Report, Run
from bench.statistics.replication import Interval

_BYTES_PER_MB = 1e6


class Best(Enum):
    """Which end of a column is the good one."""

    LOWEST = "lowest"
    HIGHEST = "highest"
    NEITHER = "neither"


class Place(Enum):
    """Where a column is shown: always, where there is room for it (OFTEN before WIDE), in CSV alone."""

    ALWAYS = "always"
    OFTEN = "often"
    WIDE = "wide"
    FILE = "file"


@dataclass(frozen=True)
class Column:
    """`key`: its name in CSV, with its unit; `title`: on the terminal; `factor`: shown there ÷ the value."""

    key: str
    title: str
    value: Callable[[Run], float | None]
    digits: int
    best: Best = Best.NEITHER
    place: Place = Place.WIDE
    suffix: str = ""
    factor: float = 1.0

    @property
    def heading(self) -> str:
        """Its title in one line."""
        return self.title.replace("-\n", "").replace("\n", " ")

    def text(self, run: Run) -> str:
        """Return a row's value as it is written."""
        value = self.value(run)
        return "–" if value is None else f"{value * self.factor:.{self.digits}f}{self.suffix}"


def columns(several_groups: bool = False) -> list[Column]:
    """Return the numeric columns in their order.

    Of `several_groups` latencies are not compared, so none of them is the best, and what can be compared, the
    ratio to the control workload, is shown at any width.
    """
    low, high = Best.LOWEST, Best.HIGHEST
    always, often, file = Place.ALWAYS, Place.OFTEN, Place.FILE
    time = Best.NEITHER if several_groups else low

    return [
        Column("p50_ms", "p50\nms", lambda run: _latency(run, "p50"), 2, time, always),
        Column("p50_half_width", "±\n%", _half_width, 1, place=always, factor=100),
        Column("p90_ms", "p90\nms", lambda run: _latency(run, "p90"), 2, time, file),
        Column("p95_ms", "p95\nms", lambda run: _latency(run, "p95"), 2, time, often),
        Column("p99_ms", "p99\nms", lambda run: _latency(run, "p99"), 2, time),
        Column("p95_upper_ms", "", lambda run: _upper(run, "p95"), 2, place=file),
        Column("p99_upper_ms", "", lambda run: _upper(run, "p99"), 2, place=file),
        Column("speed_up", "vs\nfp32", _speed_up, 2, high, always, "×"),
        Column("speed_up_low", "", lambda run: _speed_up_end(run, 1), 2, place=file),
        Column("speed_up_high", "", lambda run: _speed_up_end(run, 0), 2, place=file),
        Column(
            "relative_to_control",
            "rel. to\ncontrol",
            lambda run: run.relative_to_control,
            2,
            low,
            always if several_groups else file,
        ),
        Column("projected_low_ms", "", lambda run: _projected(run, "low"), 2, place=file),
        Column("projected_high_ms", "", lambda run: _projected(run, "high"), 2, place=file),
        Column("load_ms", "load\nms", lambda run: run.load_ms, 0),
        Column("first_inference_ms", "first\nms", lambda run: run.first_inference_ms, 1),
        Column("settled_ms", "settled\nms", _settled, 2, place=file),
        Column("peak_memory_mib", "peak\nMiB", _memory, 0, low, always),
        Column("device_memory_mib", "GPU\nMiB", _device_memory, 0, low),
        Column("size_mb", "size\nMB", _size, 2, low, always),
        Column("energy_mj", "mJ", lambda run: run.energy_mj.value if run.energy_mj else None, 0, low),
        Column("macs_as_asked", "ran as\nasked", _macs_as_asked, 0, place=Place.WIDE, suffix="%", factor=100),
        Column("top1", "accu-\nracy", lambda run: _accuracy(run, "top1"), 3, high, often),
        Column("auc", "AUC", lambda run: _accuracy(run, "auc"), 3, high),
        Column("retention", "reten-\ntion", _retention, 3, high, always),
        Column("retention_low", "95 %\nlow", lambda run: _retention_end(run, 0), 3),
        Column("retention_high", "", lambda run: _retention_end(run, 1), 3, place=file),
        Column("sensitivity", "sensi-\ntivity", lambda run: _accuracy(run, "sensitivity"), 3, high, file),
        Column("specificity", "speci-\nficity", lambda run: _accuracy(run, "specificity"), 3, high, file),
        Column(
            "reference_sensitivity", "", lambda run: _accuracy(run, "reference_sensitivity"), 3, place=file
        ),
        Column(
            "reference_specificity", "", lambda run: _accuracy(run, "reference_specificity"), 3, place=file
        ),
        Column("agreement", "agree-\nment", lambda run: _accuracy(run, "agreement"), 3, high),
    ]


def column_of(key: str) -> Column:
    """Return the column of this name."""
    return next(one for one in columns() if one.key == key)


def told(report: Report) -> list[Column]:
    """Return the columns in which one of the report's variants has a value."""
    variants = [run for run in report.runs if run.is_variant]
    return [one for one in columns(has_groups(report)) if any(one.value(run) is not None for run in variants)]


def has_groups(report: Report) -> bool:
    """Tell whether not all variants took turns with each other."""
    return any(run.raw is not None and run.raw.groups > 1 for run in report.runs if run.is_variant)


def best_cases(column: Column, report: Report) -> set[tuple[str, str]]:
    """Return the cases that share a column's best value as it is written; none if most of them do."""
    written = {
        run.case: round(value * column.factor, column.digits)
        for run in report.runs
        if run.is_variant and run.status == "completed" and (value := column.value(run)) is not None
    }
    if column.best is Best.NEITHER or not written:
        return set()
    best = min(written.values()) if column.best is Best.LOWEST else max(written.values())
    shared_by = {case for case, value in written.items() if value == best}
    return shared_by if 2 * len(shared_by) <= len(written) else set()


def _latency(run: Run, name: str) -> float | None:
    value = None if run.latency_ms is None else getattr(run.latency_ms, name)
    return None if value is None else float(value)


def _upper(run: Run, name: str) -> float | None:
    value = None if run.latency_ms is None else getattr(run.latency_ms.upper, name)
    return None if value is None else float(value)


def _projected(run: Run, name: str) -> float | None:
    return None if run.projected_ms is None else float(getattr(run.projected_ms, name))


def _half_width(run: Run) -> float | None:
    """Return half of the interval of the median, as a share of it."""
    if run.latency_ms is None or run.latency_ms.p50_ci95 is None:
        return None
    return Interval(*run.latency_ms.p50_ci95).half_width


def _speed_up(run: Run) -> float | None:
    return None if run.relative_to_fp32 is None else 1 / run.relative_to_fp32


def _speed_up_end(run: Run, end: int) -> float | None:
    return None if run.relative_to_fp32_ci95 is None else 1 / run.relative_to_fp32_ci95[end]


def _size(run: Run) -> float | None:
    return None if run.size_bytes is None else run.size_bytes / _BYTES_PER_MB


def _settled(run: Run) -> float | None:
    return None if run.sustained is None else run.sustained.settled_ms


def _memory(run: Run) -> float | None:
    return None if run.memory_mb is None else run.memory_mb.peak


def _device_memory(run: Run) -> float | None:
    return None if run.memory_mb is None else run.memory_mb.device


def _macs_as_asked(run: Run) -> float | None:
    """Return the share of multiply-accumulates that ran in the precision that was asked for."""
    ran = run.precision_ran
    if ran is None or ran.share_of_macs is None:
        return None
    return ran.share_of_macs.get(ran.requested.value, 0.0)


def _accuracy(run: Run, name: str) -> float | None:
    value = None if run.accuracy is None else getattr(run.accuracy, name)
    return None if value is None else float(value)


def _retention(run: Run) -> float | None:
    return None if run.accuracy is None or run.accuracy.retention is None else run.accuracy.retention.value


def _retention_end(run: Run, end: int) -> float | None:
    if run.accuracy is None or run.accuracy.retention is None or run.accuracy.retention.ci95 is None:
        return None
    return run.accuracy.retention.ci95[end]
