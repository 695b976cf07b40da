"""What each chart but the main one is drawn from. Pure: a report in, rows and their text out."""

import math
from collections.abc import Sequence

from bench.render.columns import Column, column_of
from bench.render.html.row_text import (
    Row,
    Rows,
    completed,
    ends,
    milliseconds,
    named,
    number,
    share,
    table_of,
    variants,
    word,
)
from bench.render.sentences import row_names
from bench.render.titles import device_of
from bench.report.schema import Report

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
                "provenance": run.provenance,
            }
        )
    all_of_them = "one stroke a sample" if every == 1 else f"one stroke for {every} samples, in order of size"
    return Rows(
        points=tuple(points),
        table=table_of(
            marks,
            {
                "samples": word("samples"),
                "processes": word("processes"),
                "min ms": milliseconds("min"),
                "p50 ms": milliseconds("p50"),
                "p90 ms": milliseconds("p90"),
                "p95 ms": milliseconds("p95"),
                "p99 ms": milliseconds("p99"),
                "max ms": milliseconds("max"),
                "latency is": word("provenance"),
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
                "at first, ms": milliseconds("first"),
                "level of the last quarter, ms": milliseconds("settled"),
                "settles after, s": number("after", 0, "does not"),
                "drift": lambda row: "–" if row["drift"] is None else f"{row['drift']:+.1%}",
                "latency is": word("provenance"),
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
                "runtime MiB": number("runtime", 0),
                "loaded MiB": number("loaded", 0),
                "peak MiB": number("peak", 0),
                "proportional MiB": number("proportional", 0),
                "device MiB": number("device", 0),
            },
        ),
        caption="Each bar is a variant in a process of its own: the runtime alone, loaded, and the peak.",
    )


def sizes(report: Report) -> Rows:
    """Return each artifact's bytes."""
    points: list[Row] = [
        {**named(report, run), "mb": column_of("size_mb").value(run), "bytes": run.size_bytes}
        for run in variants(report)
        if run.size_bytes is not None
    ]
    return Rows(
        points=tuple(points),
        table=table_of(points, {"size MB": number("mb", 2), "bytes": word("bytes")}),
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
                "accuracy": share("top1"),
                "retention": share("retention"),
                "95 %": ends("low", "high"),
                "AUC": share("auc"),
                "sensitivity": share("sensitivity"),
                "specificity": share("specificity"),
                "agreement": share("agreement"),
                "changed class": word("flips"),
                "McNemar p": number("mcnemar_p", 3),
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
        points += [{**row, "precision": kind, "share": part} for kind, part in shares.items()]
        said = ", ".join(f"{kind} {part:.1%}" for kind, part in shares.items())
        table.append({**row, "shares": said, "evidence": run.precision_ran.evidence})
    return Rows(
        points=tuple(points),
        table=table_of(
            table,
            {
                "asked for": word("precision"),
                "ran in": word("shares"),
                "read from": word("evidence"),
            },
        ),
        caption="Each bar is what ran, by the runtime's own executed graph, whatever the file is called.",
    )


def history(reports: Sequence[Report], column: Column, title: str) -> Rows:
    """Return one figure of each row over reports of one name, in the order of their time."""
    points: list[Row] = []
    for report in sorted(reports, key=lambda one: one.created):
        for run in completed(report):
            if (value := column.value(run)) is not None:
                how = {"threads": run.threads, "run": "quick" if report.quick else "full"}
                row = named(report, run)
                points.append(
                    {**row, "created": report.created, "device": device_of(report), **how, column.key: value}
                )
    return Rows(
        points=tuple(points),
        table=table_of(
            points,
            {
                "measured at": word("created"),
                "device": word("device"),
                "threads": word("threads"),
                "run": word("run"),
                title: number(column.key, 3),
                "latency is": word("provenance"),
            },
        ),
        caption=f"{title}, in each report; plain lines are fp32, dashed ones fp16, dotted ones int8.",
    )


def _short(value: float) -> float:
    """Round to as many digits as a stroke can show: half of a page's bytes would be noise otherwise."""
    if value == 0:
        return 0.0
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))
