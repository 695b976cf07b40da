"""A report's charts, as Vega-Lite made with Altair. Pure: a report in, specifications out."""

import json
from collections.abc import Callable, Sequence

import altair as alt

from bench.decide.limits import MARGIN
from bench.render.page import chart_rows
from bench.render.page.drawing import MAIN_HEIGHT, Chart, data, finished, limit, title_of, tooltip
from bench.render.page.looks import (
    INK,
    Kinds,
    Specification,
    colour_by_format,
    dash_by_precision,
    legend,
    shape_by_standing,
)
from bench.render.page.main_chart import latency_and_accuracy
from bench.render.page.row_text import BYTES_PER_MB, Row, Rows
from bench.reports.records import Report, Run

_ROW_HEIGHT = 26
_HISTORY: tuple[tuple[str, str, Callable[[Run], float | None]], ...] = (
    ("p50", "latency, ms (p50)", lambda run: None if run.latency_ms is None else run.latency_ms.p50),
    ("per_yardstick", "latency ÷ yardstick", lambda run: run.per_yardstick),
    ("mb", "size, MB", lambda run: None if run.size_bytes is None else run.size_bytes / BYTES_PER_MB),
    (
        "retention",
        "accuracy ÷ fp32's",
        lambda run: (
            None if run.accuracy is None or run.accuracy.retention is None else run.accuracy.retention.value
        ),
    ),
)


def charts_of(report: Report, every: int, kinds: Kinds) -> list[Chart]:
    """Return the charts that the report has data for; of samples every `every`-th is drawn."""
    made = (
        latency_and_accuracy(report, kinds),
        _distributions(report, every, kinds),
        _sustained(report, kinds),
        _memory(report),
        _sizes(report, kinds),
        _retention(report, kinds),
        _precision(report),
    )
    return [one for one in made if one is not None]


def _distributions(report: Report, every: int, kinds: Kinds) -> Chart | None:
    """Draw each sample as a stroke; a row's strokes are one line with gaps, which a phone can draw too."""
    found = chart_rows.samples(report, every)
    if not found.points:
        return None
    names = [one["row"] for one in found.points]
    strokes = (
        alt.Chart(data(found.points))
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
        alt.Chart(data(found.marks))
        .mark_point(shape="diamond", filled=True, size=70, color=INK, opacity=1)
        .encode(x="p50:Q", y=_indexed("index:Q", names), tooltip=tooltip(found.marks))
    )
    chart = alt.layer(strokes, medians).properties(height=_height(found.points), title=title_of(report))
    return Chart("samples", "Every latency", found.caption, finished(chart), *found.table)


def _sustained(report: Report, kinds: Kinds) -> Chart | None:
    found = chart_rows.sustained(report)
    if not found.points:
        return None
    base = alt.Chart(data(found.points)).encode(
        x=alt.X("at_s:Q", title="seconds without a pause"),
        y=alt.Y("p50_ms:Q", title="latency, ms (p50 of a block)", scale=alt.Scale(type="log", nice=False)),
        color=colour_by_format(kinds),
        detail="row:N",
        tooltip=tooltip(found.points),
    )
    return Chart(
        "sustained",
        "Latency over time",
        found.caption,
        _lines(base.properties(title=title_of(report))),
        *found.table,
    )


def _lines(base: alt.Chart) -> Specification:
    """Draw rows as lines with points; of lines that have both in one the legend would lose its strokes."""
    lines = base.mark_line().encode(strokeDash=dash_by_precision())
    points = base.mark_point(filled=True, size=30, opacity=1)
    return finished(alt.layer(lines, points).properties(height=MAIN_HEIGHT))


def _memory(report: Report) -> Chart | None:
    found = chart_rows.memory(report)
    if not found.points:
        return None
    parts = ["peak", "loaded", "runtime"]
    chart = (
        alt.Chart(data(found.points))
        .mark_bar(height=14)
        .encode(
            x=alt.X("mib:Q", title="resident memory, MiB", stack=None),
            y=_named(found.points),
            color=alt.Color(
                "part:N",
                title="when",
                sort=parts,
                scale=alt.Scale(domain=parts, range=["#9ecae1", "#4a9cc9", "#0072b2"]),
                legend=legend(),
            ),
            order=alt.Order("order:O"),
            tooltip=tooltip(found.points),
        )
        .properties(height=_height(found.points))
    )
    return Chart("memory", "Memory", found.caption, finished(chart), *found.table)


def _sizes(report: Report, kinds: Kinds) -> Chart | None:
    found = chart_rows.sizes(report)
    if not found.points:
        return None
    chart = (
        alt.Chart(data(found.points))
        .mark_bar(height=14)
        .encode(
            x=alt.X("mb:Q", title="size, MB (10⁶ bytes)"),
            y=_named(found.points),
            color=colour_by_format(kinds),
            tooltip=tooltip(found.points),
        )
        .properties(height=_height(found.points))
    )
    return Chart("size", "Size", found.caption, finished(chart), *found.table)


def _retention(report: Report, kinds: Kinds) -> Chart | None:
    found = chart_rows.retention(report)
    if not found.points:
        return None
    base = alt.Chart(data(found.points)).encode(y=_named(found.points), color=colour_by_format(kinds))
    x = alt.X("retention:Q", title="accuracy ÷ fp32's (retention)", scale=alt.Scale(zero=False))
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=tooltip(found.points)),
    ]
    least = report.profile.budget.retention
    if least is not None:
        layers += limit("x", least, f"least {least:g}; the interval's end, less {MARGIN:g}", align="left")
    chart = alt.layer(*layers).properties(height=_height(found.points))
    return Chart("accuracy", "Accuracy", found.caption, finished(chart), *found.table)


def _precision(report: Report) -> Chart | None:
    found = chart_rows.precision(report)
    if not found.points:
        return None
    kinds = list(dict.fromkeys(one["precision"] for one in found.points))
    known = {"fp32": "#0072b2", "fp16": "#56b4e9", "bf16": "#009e73", "int8": "#d55e00"}
    chart = (
        alt.Chart(data(found.points))
        .mark_bar(height=14)
        .encode(
            x=alt.X("share:Q", title="share of multiply-accumulates", axis=alt.Axis(format=".0%")),
            y=_named(found.points),
            color=alt.Color(
                "precision:N",
                title="ran in",
                scale=alt.Scale(domain=kinds, range=[known.get(kind, "#777777") for kind in kinds]),
                legend=legend(),
            ),
            tooltip=tooltip(found.points),
        )
        .properties(height=_height(found.points))
    )
    return Chart("precision", "Proof of precision", found.caption, finished(chart), *found.table)


def history_charts(reports: Sequence[Report], kinds: Kinds) -> list[Chart]:
    """Return figures of each variant over reports of one name."""
    found = []
    for key, title, of in _HISTORY:
        rows = chart_rows.history(reports, of, title, key)
        if rows.points:
            found.append(_over_time(rows, title, key, kinds))
    return found


def _over_time(rows: Rows, title: str, key: str, kinds: Kinds) -> Chart:
    base = alt.Chart(data(rows.points)).encode(
        x=alt.X("created:T", title="measured at"),
        y=alt.Y(f"{key}:Q", title=title, scale=alt.Scale(zero=False)),
        color=colour_by_format(kinds),
        shape=shape_by_standing(kinds),
        detail=["row:N", "device:N", "standing:N"],
        tooltip=tooltip(rows.points),
    )
    return Chart(key, title, rows.caption, _lines(base), *rows.table)


def _named(points: Sequence[Row]) -> alt.Y:
    names = list(dict.fromkeys(one["row"] for one in points))
    return alt.Y("row:N", title=None, sort=names, axis=alt.Axis(labelLimit=150))


def _height(points: Sequence[Row]) -> int:
    """Return the pixels that a chart with a line for each row needs."""
    return _ROW_HEIGHT * len({one["row"] for one in points})


def _indexed(field: str, names: Sequence[str]) -> alt.Y:
    """Return an axis of numbered rows with their names, top down."""
    # JSON is how a name becomes text in Vega's expressions, whatever it holds.
    words = f"{json.dumps(list(names))}[datum.value]"
    axis = alt.Axis(values=list(range(len(names))), labelExpr=words, labelLimit=150, grid=False)
    return alt.Y(field, title=None, axis=axis, scale=alt.Scale(domain=[-0.6, len(names) - 0.4], reverse=True))
