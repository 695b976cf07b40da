"""Charts of latency: samples, sustained runs, and history, and their data. Pure."""

import json
import math
from collections.abc import Sequence

import altair as alt

from bench.render.columns import Column, column_of
from bench.render.html.drawing import (
    INK,
    MAIN_HEIGHT,
    Chart,
    Kinds,
    Row,
    Rows,
    Specification,
    colour_by_format,
    completed,
    dash_by_precision,
    data,
    finished,
    height_of,
    milliseconds,
    named,
    number,
    shape_by_provenance,
    table_of,
    title_of,
    tooltip,
    word,
)
from bench.render.html.rows import option_names
from bench.render.text import device_of, noun_of, whose_figures
from bench.report.schema import Report
from bench.units import ms

_DIGITS = 4
# The columns that are drawn over time, with the title of the axis; `{whose}`: what accuracy is compared with.
_HISTORY = {
    "p50_ms": "latency, ms (p50)",
    "relative_to_control": "latency ÷ control workload",
    "size_mb": "size, MB",
    "retention": "accuracy ÷ {whose}",
    "agreement": "agreement with the reference",
    "cosine": "cosine with the source",
    "output_agreement": "agreement with the reference",
    "output_cosine": "cosine with the reference",
}


def distributions(report: Report, every: int, kinds: Kinds) -> Chart | None:
    """Draw each sample as a stroke. A row's strokes are one line with gaps, which a phone can draw too."""
    rows = _samples(report, every)
    if not rows.points:
        return None
    names = [row["row"] for row in rows.points]
    strokes = (
        alt.Chart(data(rows.points))
        .transform_flatten(["ms"])
        .transform_calculate(end="[-0.32, 0.32, null]")
        .transform_flatten(["end"])
        .transform_calculate(y="datum.end === null ? null : datum.index + datum.end", x="datum.ms")
        .transform_window(order="row_number()")
        .mark_line(strokeWidth=1, opacity=0.45, invalid="break-paths-show-domains")
        .encode(
            x=alt.X("x:Q", title="latency of one inference, ms", scale=alt.Scale(type="log", nice=False)),
            y=_indexed("y:Q", names),
            order="order:Q",
            detail="row:N",
            color=colour_by_format(kinds),
        )
    )
    medians = (
        alt.Chart(data(rows.marks))
        .mark_point(shape="diamond", filled=True, size=70, color=INK, opacity=1)
        .encode(x="p50:Q", y=_indexed("index:Q", names), tooltip=tooltip(rows.marks))
    )
    chart = alt.layer(strokes, medians).properties(height=height_of(rows.points), title=title_of(report))
    return Chart("samples", "Every latency", rows.caption, finished(chart), *rows.table)


def _samples(report: Report, every: int) -> Rows:
    """Return every `every`-th sample of each row in ms, sorted by size, and the largest one."""
    points: list[Row] = []
    marks: list[Row] = []
    for run in completed(report):
        assert run.completed is not None
        assert run.summary is not None
        latency = run.summary.latency
        ordered = sorted(
            ns for process in run.completed.processes for block in process.blocks for ns in block.ns
        )
        drawn = ordered if every == 1 else [*ordered[:-1:every], ordered[-1]]
        index = len(points)
        points.append({**named(run), "index": index, "ms": [_short(ms(ns)) for ns in drawn]})
        marks.append(
            {
                "row": run.case,
                "index": index,
                "p50": ms(latency.p50_ns),
                "p90": _ms(latency.p90_ns),
                "p95": _ms(latency.p95_ns),
                "p99": _ms(latency.p99_ns),
                "min": ms(latency.min_ns),
                "max": ms(latency.max_ns),
                "samples": latency.samples,
                "processes": latency.processes,
                "provenance": run.provenance,
            }
        )
    strokes_text = (
        "one stroke for each sample" if every == 1 else f"one stroke for {every} samples, sorted by size"
    )
    return Rows(
        points=tuple(points),
        table=table_of(
            noun_of(report),
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
                "provenance": word("provenance"),
            },
        ),
        caption=f"Each row of strokes is a {noun_of(report)}: {strokes_text}; the diamond is the median.",
        marks=tuple(marks),
    )


def sustained(report: Report, kinds: Kinds) -> Chart | None:
    """Draw latency over a sustained run."""
    rows = _sustained_rows(report)
    if not rows.points:
        return None
    base = alt.Chart(data(rows.points)).encode(
        x=alt.X("at_s:Q", title="seconds of the sustained run"),
        y=alt.Y("p50_ms:Q", title="latency, ms (p50 of a block)", scale=alt.Scale(type="log", nice=False)),
        color=colour_by_format(kinds),
        detail="row:N",
        tooltip=tooltip(rows.points),
    )
    return Chart(
        "sustained",
        "Latency over time",
        rows.caption,
        _lines(base.properties(title=title_of(report))),
        *rows.table,
    )


def _sustained_rows(report: Report) -> Rows:
    """Return the medians of the blocks of each sustained run."""
    points: list[Row] = []
    table: list[Row] = []
    for run in completed(report):
        sustained = None if run.summary is None else run.summary.sustained
        if sustained is None:
            continue
        row = named(run)
        points += [{**row, "at_s": point.at_s, "p50_ms": ms(point.p50_ns)} for point in sustained.points]
        table.append(
            {
                **row,
                "first": ms(sustained.points[0].p50_ns),
                "settled": ms(sustained.settled_ns),
                "after": sustained.settled_after_s,
                "drift": sustained.drift,
            }
        )
    return Rows(
        points=tuple(points),
        table=table_of(
            noun_of(report),
            table,
            {
                "at first, ms": milliseconds("first"),
                "level of the last quarter, ms": milliseconds("settled"),
                "settles after, s": number("after", 0, "does not"),
                "drift": lambda row: "–" if row["drift"] is None else f"{row['drift']:+.1%}",
                "provenance": word("provenance"),
            },
        ),
        caption=f"Each line is a {noun_of(report)} that ran without a pause; plain lines are fp32, dashed "
        "ones fp16, dotted ones int8.",
    )


def history_charts(reports: Sequence[Report], kinds: Kinds) -> list[Chart]:
    """Draw figures of each variant over reports of one name."""
    if not reports:
        return []
    whose = whose_figures(reports)
    titles = {key: title.format(whose=whose) for key, title in _HISTORY.items()}
    has_accuracy = any(report.evaluation is not None and report.evaluation.gap is None for report in reports)
    drawn = (
        (key, title, _history_rows(reports, column_of(key), title))
        for key, title in titles.items()
        if key != "agreement" or not has_accuracy
    )
    return [_over_time(rows, title, key, kinds) for key, title, rows in drawn if rows.points]


def _over_time(rows: Rows, title: str, key: str, kinds: Kinds) -> Chart:
    base = alt.Chart(data(rows.points)).encode(
        x=alt.X("created:T", title="measured at"),
        y=alt.Y(f"{key}:Q", title=title, scale=alt.Scale(zero=False)),
        color=colour_by_format(kinds),
        shape=shape_by_provenance(kinds),
        detail=["row:N", "device:N", "provenance:N"],
        tooltip=tooltip(rows.points),
    )
    return Chart(key, title, rows.caption, _lines(base), *rows.table)


def _history_rows(reports: Sequence[Report], column: Column, title: str) -> Rows:
    """Return one figure of each row over reports of one name, the earliest first."""
    points: list[Row] = []
    names = option_names(reports)
    for report in sorted(reports, key=lambda report: report.created):
        for run in completed(report):
            if (value := column.value(run)) is not None:
                options = {name: getattr(run.config, name) for name in names}
                how = {**options, "run": "quick" if report.quick else "full"}
                row = named(run)
                points.append(
                    {**row, "created": report.created, "device": device_of(report), **how, column.key: value}
                )
    return Rows(
        points=tuple(points),
        table=table_of(
            noun_of(reports[0]),
            points,
            {
                "measured at": word("created"),
                "device": word("device"),
                **{name: word(name) for name in names},
                "run": word("run"),
                title: number(column.key, 3),
                "provenance": word("provenance"),
            },
        ),
        caption=f"{title}, in each report; plain lines are fp32, dashed ones fp16, dotted ones int8.",
    )


def _lines(base: alt.Chart) -> Specification:
    """Draw rows as lines with a point at each value."""
    chart = base.mark_line(point=alt.OverlayMarkDef(size=30, opacity=1)).encode(
        strokeDash=dash_by_precision()
    )
    return finished(chart.properties(height=MAIN_HEIGHT))


def _indexed(field: str, names: Sequence[str]) -> alt.Y:
    """Return an axis that names numbered rows, from the top down."""
    # JSON makes any name a safe string in Vega's expressions.
    words = f"{json.dumps(list(names))}[datum.value]"
    axis = alt.Axis(values=list(range(len(names))), labelExpr=words, labelLimit=150, grid=False)
    return alt.Y(field, title=None, axis=axis, scale=alt.Scale(domain=[-0.6, len(names) - 0.4], reverse=True))


def _ms(ns: float | None) -> float | None:
    return None if ns is None else ms(ns)


def _short(value: float) -> float:
    """Round to the digits that a stroke can show. Otherwise half of a page's bytes would be noise."""
    if value == 0:
        return 0.0
    return round(value, _DIGITS - 1 - math.floor(math.log10(abs(value))))
