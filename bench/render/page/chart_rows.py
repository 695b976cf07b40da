"""What each chart but the main one is drawn from. Pure: a report in, rows and their text out."""

import math
from collections.abc import Callable, Sequence

from bench.render.page.row_text import (
    BYTES_PER_MB,
    NONE,
    Row,
    Rows,
    completed,
    device_of,
    ends_text,
    ms_text,
    named,
    share_text,
    table_of,
    variants,
    written,
)
from bench.render.sentences import row_names
from bench.reports.records import Report, Run

_NS_PER_MS = 1e6
_DIGITS = 4


def samples(report: Report, every: int) -> Rows:
    """Return every `every`-th sample of each row in ms, in order of size, with the largest."""
    names = row_names(report)
    points: list[Row] = []
    marks: list[Row] = []
    for run in completed(report):
        assert run.raw is not None
        assert run.latency_ms is not None
        taken = sorted(ns for one in run.raw.processes for block in one.blocks for ns in block.ns)
        kept = taken if every == 1 else [*taken[:-1:every], taken[-1]]
        index = len(points)
        points.append({**named(report, run), "index": index, "ms": [_short(ns / _NS_PER_MS) for ns in kept]})
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
        table=table_of(
            marks,
            {
                "samples": lambda one: str(one["samples"]),
                "processes": lambda one: str(one["processes"]),
                "min ms": lambda one: ms_text(one["min"]),
                "p50 ms": lambda one: ms_text(one["p50"]),
                "p90 ms": lambda one: ms_text(one["p90"]),
                "p95 ms": lambda one: ms_text(one["p95"]),
                "p99 ms": lambda one: ms_text(one["p99"]),
                "max ms": lambda one: ms_text(one["max"]),
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
    for run in completed(report):
        if (found := run.sustained) is None:
            continue
        row = named(report, run)
        points += [{**row, "at_s": point.at_s, "p50_ms": point.p50_ms} for point in found.points]
        table.append(
            {
                **row,
                "first": found.points[0].p50_ms,
                "settled": found.settled_ms,
                "after": found.settled_after_s,
                "drift": found.drift,
            }
        )
    return Rows(
        points=tuple(points),
        table=table_of(
            table,
            {
                "at first, ms": lambda one: ms_text(one["first"]),
                "level of the last quarter, ms": lambda one: ms_text(one["settled"]),
                "settles after, s": lambda one: (
                    "does not" if one["after"] is None else written(one["after"], 0)
                ),
                "drift": lambda one: NONE if one["drift"] is None else f"{one['drift']:+.1%}",
                "latency is": lambda one: str(one["standing"]),
            },
        ),
        caption="Each line is a variant that ran without a pause; plain lines are fp32, dashed ones fp16, "
        "dotted ones int8.",
    )


def memory(report: Report) -> Rows:
    """Return what was resident with the runtime imported, the artifact loaded, and at the peak."""
    points: list[Row] = []
    table: list[Row] = []
    for run in completed(report):
        assert run.memory_mb is not None
        found, row = run.memory_mb, named(report, run)
        table.append({**row, **found.model_dump()})
        parts = (("peak", found.peak), ("loaded", found.loaded), ("runtime", found.runtime))
        points += [
            {**row, "part": part, "mib": mib, "order": order}
            for order, (part, mib) in enumerate(parts)
            if mib is not None
        ]
    return Rows(
        points=tuple(points),
        table=table_of(
            table,
            {
                "runtime MiB": lambda one: written(one["runtime"], 0),
                "loaded MiB": lambda one: written(one["loaded"], 0),
                "peak MiB": lambda one: written(one["peak"], 0),
                "proportional MiB": lambda one: written(one["proportional"], 0),
                "device MiB": lambda one: written(one["device"], 0),
            },
        ),
        caption="Each bar is a variant in a process of its own: the runtime alone, loaded, and the peak.",
    )


def sizes(report: Report) -> Rows:
    """Return each artifact's bytes."""
    points: list[Row] = [
        {**named(report, run), "mb": run.size_bytes / BYTES_PER_MB, "bytes": run.size_bytes}
        for run in variants(report)
        if run.size_bytes is not None
    ]
    columns: dict[str, Callable[[Row], str]] = {
        "size MB": lambda one: written(one["mb"], 2),
        "bytes": lambda one: str(one["bytes"]),
    }
    return Rows(
        points=tuple(points),
        table=table_of(points, columns),
        caption="Each bar is all files of a variant; its runtime is not counted.",
    )


def retention(report: Report) -> Rows:
    """Return how much of the fp32 network's accuracy each row keeps, with its interval."""
    points: list[Row] = []
    for run in completed(report):
        if run.accuracy is None:
            continue
        kept = run.accuracy.retention
        low, high = (None, None) if kept is None or kept.ci95 is None else kept.ci95
        points.append(
            {
                **named(report, run),
                "retention": None if kept is None else kept.value,
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
        table=table_of(
            points,
            {
                "accuracy": lambda one: share_text(one["top1"]),
                "retention": lambda one: share_text(one["retention"]),
                "95 %": lambda one: ends_text(one["low"], one["high"]),
                "AUC": lambda one: share_text(one["auc"]),
                "sensitivity": lambda one: share_text(one["sensitivity"]),
                "specificity": lambda one: share_text(one["specificity"]),
                "agreement": lambda one: share_text(one["agreement"]),
                "changed class": lambda one: str(one["flips"]),
                "McNemar p": lambda one: written(one["mcnemar_p"], 3),
            },
        ),
        caption="Each point is a variant's accuracy ÷ the fp32 network's, on the very file that was timed, "
        f"with its 95 % interval over {len(report.evaluation.labels)} images.",
    )


def precision(report: Report) -> Rows:
    """Return in which types the multiply-accumulates of each row ran, by the runtime's own executed graph."""
    points: list[Row] = []
    table: list[Row] = []
    for run in completed(report):
        if run.precision_ran is None or run.precision_ran.share_of_macs is None:
            continue
        shares = run.precision_ran.share_of_macs
        row = named(report, run)
        points += [{**row, "precision": kind, "share": share} for kind, share in shares.items()]
        said = ", ".join(f"{kind} {share:.1%}" for kind, share in shares.items())
        table.append({**row, "shares": said, "evidence": run.precision_ran.evidence})
    return Rows(
        points=tuple(points),
        table=table_of(
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
        for run in completed(report):
            if (value := of(run)) is not None:
                how = {"threads": run.threads, "run": "quick" if report.quick else "full"}
                row = named(report, run)
                points.append(
                    {**row, "created": report.created, "device": device_of(report), **how, key: value}
                )
    return Rows(
        points=tuple(points),
        table=table_of(
            points,
            {
                "measured at": lambda one: str(one["created"]),
                "device": lambda one: str(one["device"]),
                "threads": lambda one: str(one["threads"]),
                "run": lambda one: str(one["run"]),
                title: lambda one: written(one[key], 3),
                "latency is": lambda one: str(one["standing"]),
            },
        ),
        caption=f"{title}, in each report; plain lines are fp32, dashed ones fp16, dotted ones int8.",
    )


def _short(value: float) -> float:
    """Round to as many digits as a stroke can show: half of a page's bytes would be noise otherwise."""
    if value == 0:
        return 0.0
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))
