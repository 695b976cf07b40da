"""What the charts are drawn from: flat rows of a report's own numbers, each with its words. Pure.

A chart's `table` is the same numbers as text: column names, then rows.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.decide.contenders import Contender
from bench.decide.pareto import front
from bench.render.sentences import row_names
from bench.reports.records import Report, Run

# A row of Vega-Lite's inline data; its keys are the fields that charts.py encodes.
Row = dict[str, Any]
Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]

_NS_PER_MS = 1e6
BYTES_PER_MB = 1e6
_DIGITS = 4
_NONE = "–"


@dataclass(frozen=True)
class Rows:
    """The rows of a chart, its text as a table, and a sentence that says what there is to see."""

    points: tuple[Row, ...]
    table: Table
    caption: str
    marks: tuple[Row, ...] = ()


@dataclass(frozen=True)
class Main(Rows):
    """Latency against accuracy: also the front, the projected ranges and the budget's limits."""

    front: tuple[Row, ...] = ()
    projected: tuple[Row, ...] = ()
    latency_limit: float | None = None
    least_retention: float | None = None


def main(report: Report) -> Main:
    """Return a point for each row that has a latency and a retention."""
    names = row_names(report)
    contenders = [Contender(names[run.case], report, run) for run in _completed(report)]
    best = {one.name for one in front(contenders)}
    points: list[Row] = []
    ranges: list[Row] = []
    for one in contenders:
        accuracy = one.run.accuracy
        if accuracy is None or accuracy.retention is None:
            continue
        low, high = accuracy.retention.ci95 or (None, None)
        shared: Row = {**_named(report, one.run), "retention": accuracy.retention.value}
        points.append(
            {
                **shared,
                "p50": one.latency.p50,
                "p95": one.latency.p95,
                "low": low,
                "high": high,
                "top1": accuracy.top1,
                "front": one.name in best,
            }
        )
        if (found := one.run.projected_ms) is not None:
            ranges.append({**shared, "standing": "projected", "low_ms": found.low, "high_ms": found.high})
    limit = report.profile.budget.p95_ms
    return Main(
        points=tuple(points),
        table=_table(
            points,
            {
                "p50 ms": lambda one: _ms(one["p50"]),
                "p95 ms": lambda one: _ms(one["p95"]),
                "retention": lambda one: _share(one["retention"]),
                "95 %": lambda one: _ends(one["low"], one["high"]),
                "on the front": lambda one: "yes" if one["front"] else "no",
                "latency is": lambda one: str(one["standing"]),
            },
        ),
        caption=_main_caption(report, points, ranges, len(contenders)),
        front=_steps(points),
        projected=tuple(ranges),
        latency_limit=limit,
        least_retention=report.profile.budget.retention,
    )


def samples(report: Report, every: int) -> Rows:
    """Return every `every`-th sample of each row in ms, in order of size, with the largest."""
    names = row_names(report)
    points: list[Row] = []
    marks: list[Row] = []
    for run in _completed(report):
        assert run.raw is not None
        assert run.latency_ms is not None
        taken = sorted(ns for one in run.raw.processes for block in one.blocks for ns in block.ns)
        kept = taken if every == 1 else [*taken[:-1:every], taken[-1]]
        index = len(points)
        points.append({**_named(report, run), "index": index, "ms": [_short(ns / _NS_PER_MS) for ns in kept]})
        marks.append(
            {
                "row": names[run.case],
                "index": index,
                "p50": run.latency_ms.p50,
                "p90": run.latency_ms.p90,
                "p95": run.latency_ms.p95,
                "p99": run.latency_ms.p99,
                "min": run.latency_ms.min,
                "max": run.latency_ms.max,
                "samples": run.latency_ms.samples,
                "processes": run.latency_ms.processes,
                "standing": run.standing,
            }
        )
    all_of_them = "one stroke a sample" if every == 1 else f"one stroke for {every} samples, in order of size"
    return Rows(
        points=tuple(points),
        table=_table(
            marks,
            {
                "samples": lambda one: str(one["samples"]),
                "processes": lambda one: str(one["processes"]),
                "min ms": lambda one: _ms(one["min"]),
                "p50 ms": lambda one: _ms(one["p50"]),
                "p90 ms": lambda one: _ms(one["p90"]),
                "p95 ms": lambda one: _ms(one["p95"]),
                "p99 ms": lambda one: _ms(one["p99"]),
                "max ms": lambda one: _ms(one["max"]),
                "latency is": lambda one: str(one["standing"]),
            },
        ),
        caption=f"Each row of strokes is a variant: {all_of_them}; the diamond is the median.",
        marks=tuple(marks),
    )


def sustained(report: Report) -> Rows:
    """Return the medians of a run without a pause."""
    points: list[Row] = []
    table: list[Row] = []
    for run in _completed(report):
        if (found := run.sustained) is None:
            continue
        named = _named(report, run)
        points += [{**named, "at_s": point.at_s, "p50_ms": point.p50_ms} for point in found.points]
        table.append(
            {
                **named,
                "first": found.points[0].p50_ms,
                "settled": found.settled_ms,
                "after": found.settled_after_s,
                "drift": found.drift,
            }
        )
    return Rows(
        points=tuple(points),
        table=_table(
            table,
            {
                "at first, ms": lambda one: _ms(one["first"]),
                "settles at, ms": lambda one: _ms(one["settled"]),
                "after, s": lambda one: _written(one["after"], 0),
                "drift": lambda one: _NONE if one["drift"] is None else f"{one['drift']:+.1%}",
                "latency is": lambda one: str(one["standing"]),
            },
        ),
        caption="Each line is a variant that ran without a pause; where it settles is what can be kept up.",
    )


def memory(report: Report) -> Rows:
    """Return what was resident with the runtime imported, the artifact loaded, and at the peak."""
    points: list[Row] = []
    table: list[Row] = []
    for run in _completed(report):
        assert run.memory_mb is not None
        found, named = run.memory_mb, _named(report, run)
        table.append({**named, **found.model_dump()})
        parts = (("peak", found.peak), ("loaded", found.loaded), ("runtime", found.runtime))
        points += [
            {**named, "part": part, "mib": mib, "order": order}
            for order, (part, mib) in enumerate(parts)
            if mib is not None
        ]
    return Rows(
        points=tuple(points),
        table=_table(
            table,
            {
                "runtime MiB": lambda one: _written(one["runtime"], 0),
                "loaded MiB": lambda one: _written(one["loaded"], 0),
                "peak MiB": lambda one: _written(one["peak"], 0),
                "proportional MiB": lambda one: _written(one["proportional"], 0),
                "device MiB": lambda one: _written(one["device"], 0),
            },
        ),
        caption="Each bar is a variant in a process of its own: the runtime alone, loaded, and the peak.",
    )


def sizes(report: Report) -> Rows:
    """Return each artifact's bytes."""
    points: list[Row] = [
        {**_named(report, run), "mb": run.size_bytes / BYTES_PER_MB, "bytes": run.size_bytes}
        for run in _variants(report)
        if run.size_bytes is not None
    ]
    columns: dict[str, Callable[[Row], str]] = {
        "size MB": lambda one: _written(one["mb"], 2),
        "bytes": lambda one: str(one["bytes"]),
    }
    return Rows(
        points=tuple(points),
        table=_table(points, columns),
        caption="Each bar is everything that a device must hold for a variant.",
    )


def retention(report: Report) -> Rows:
    """Return how much of the fp32 network's accuracy each row keeps, with its interval."""
    points: list[Row] = []
    for run in _completed(report):
        if run.accuracy is None or run.accuracy.retention is None:
            continue
        low, high = run.accuracy.retention.ci95 or (None, None)
        points.append(
            {
                **_named(report, run),
                "retention": run.accuracy.retention.value,
                "low": low,
                "high": high,
                "top1": run.accuracy.top1,
                "auc": run.accuracy.auc,
                "sensitivity": run.accuracy.sensitivity,
                "specificity": run.accuracy.specificity,
                "agreement": run.accuracy.agreement,
                "flips": len(run.accuracy.flips),
                "mcnemar_p": run.accuracy.mcnemar_p,
            }
        )
    return Rows(
        points=tuple(points),
        table=_table(
            points,
            {
                "accuracy": lambda one: _share(one["top1"]),
                "retention": lambda one: _share(one["retention"]),
                "95 %": lambda one: _ends(one["low"], one["high"]),
                "AUC": lambda one: _share(one["auc"]),
                "sensitivity": lambda one: _share(one["sensitivity"]),
                "specificity": lambda one: _share(one["specificity"]),
                "agreement": lambda one: _share(one["agreement"]),
                "changed class": lambda one: str(one["flips"]),
                "McNemar p": lambda one: _written(one["mcnemar_p"], 3),
            },
        ),
        caption="Each point is a variant's accuracy ÷ the fp32 network's, on the very file that was timed, "
        f"with its 95 % interval over {len(report.evaluation.labels)} images.",
    )


def precision(report: Report) -> Rows:
    """Return in which types the multiply-accumulates of each row ran, by the runtime's own executed graph."""
    points: list[Row] = []
    table: list[Row] = []
    for run in _completed(report):
        if run.precision_ran is None or run.precision_ran.share_of_macs is None:
            continue
        shares = run.precision_ran.share_of_macs
        named = _named(report, run)
        points += [{**named, "precision": kind, "share": share} for kind, share in shares.items()]
        said = ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items())
        table.append({**named, "shares": said, "evidence": run.precision_ran.evidence})
    return Rows(
        points=tuple(points),
        table=_table(
            table,
            {
                "asked for": lambda one: str(one["precision"]),
                "ran in": lambda one: str(one["shares"]),
                "read from": lambda one: str(one["evidence"]),
            },
        ),
        caption="Each bar is what ran, by the runtime's own executed graph, whatever the file is called.",
    )


def history(reports: Sequence[Report], of: Callable[[Run], float | None], title: str, key: str) -> Rows:
    """Return one figure of each row over reports of one name, in the order of their time."""
    points: list[Row] = []
    for report in sorted(reports, key=lambda one: one.created):
        for run in _completed(report):
            if (value := of(run)) is not None:
                device = f"{report.profile.name} on {report.host.board or report.host.cpu}"
                points.append(
                    {**_named(report, run), "created": report.created, "device": device, key: value}
                )
    return Rows(
        points=tuple(points),
        table=_table(
            points,
            {
                "measured at": lambda one: str(one["created"]),
                "device": lambda one: str(one["device"]),
                title: lambda one: _written(one[key], 3),
                "latency is": lambda one: str(one["standing"]),
            },
        ),
        caption=f"{title}, of each variant in each report.",
    )


def _completed(report: Report) -> list[Run]:
    return [run for run in _variants(report) if run.status == "completed"]


def _variants(report: Report) -> list[Run]:
    return [run for run in report.runs if run.is_variant]


def _named(report: Report, run: Run) -> Row:
    assert run.precision_ran is not None
    return {
        "row": row_names(report)[run.case],
        "format": run.format,
        "precision": run.precision_ran.requested.value,
        "standing": run.standing,
    }


def _steps(points: Sequence[Row]) -> tuple[Row, ...]:
    """Return the corners of the front of latency and accuracy alone, the fastest first."""
    corners: list[Row] = []
    for one in sorted(points, key=lambda row: (row["p50"], -row["retention"])):
        if not corners or one["retention"] > corners[-1]["retention"]:
            corners.append({key: one[key] for key in ("row", "p50", "retention")} | {"order": len(corners)})
    return tuple(corners)


def _main_caption(report: Report, points: Sequence[Row], ranges: Sequence[Row], completed: int) -> str:
    said = ["Each point is a variant: left is faster, up is more accurate."]
    if points:
        fastest = min(points, key=lambda one: one["p50"])
        said.append(f"The fastest is {fastest['row']}, p50 {fastest['p50']:.3g} ms ({fastest['standing']}).")
    said.append(
        "Filled points are on the Pareto front of p50, memory, size and accuracy; the dotted line is that of "
        "p50 and accuracy alone. Dashed lines are the budget's limits."
    )
    if ranges:
        said.append(
            f"Bars between diamonds are projected for {report.profile.name}: ranges, not measurements."
        )
    if report.stand_in is not None:
        said.append(f"Triangles are this stand-in's own speed, not {report.profile.name}'s.")
    if len(points) < completed:
        said.append(f"{completed - len(points)} rows without an accuracy are left out.")
    return " ".join(said)


def _table(points: Sequence[Row], columns: dict[str, Callable[[Row], str]]) -> Table:
    names = ("variant", *columns)
    return names, tuple((str(one["row"]), *(of(one) for of in columns.values())) for one in points)


def _short(value: float) -> float:
    """Round to as many digits as a stroke can show: half of a page's bytes would be noise otherwise."""
    if value == 0:
        return 0.0
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))


def _written(value: float | None, digits: int) -> str:
    return _NONE if value is None else f"{value:.{digits}f}"


def _ms(value: float | None) -> str:
    return _NONE if value is None else f"{value:.4g}"


def _share(value: float | None) -> str:
    return _written(value, 3)


def _ends(low: float | None, high: float | None) -> str:
    return _NONE if low is None else f"{_share(low)} to {_share(high)}"
