"""A report's charts, as Vega-Lite made with Altair. Pure: a report in, specifications out."""

import json
from collections.abc import Mapping, Sequence

import altair as alt

from bench.choose.violations import MARGIN
from bench.render.columns import column_of
from bench.render.html import chart_rows
from bench.render.html.drawing import MAIN_HEIGHT, Chart, data, finished, limit, title_of, tooltip
from bench.render.html.main_chart import latency_and_accuracy
from bench.render.html.row_text import Row, Rows
from bench.render.html.theme import (
    INK,
    Kinds,
    Specification,
    colour_by_format,
    dash_by_precision,
    legend,
    shape_by_provenance,
)
from bench.report.schema import Report

_ROW_HEIGHT = 26
_OF_PARTS = {"peak": "#9ecae1", "loaded": "#4a9cc9", "runtime": "#0072b2"}
_OF_PRECISIONS = {"fp32": "#0072b2", "fp16": "#56b4e9", "bf16": "#009e73", "int8": "#d55e00"}
_OTHER = "#777777"
# Which columns are drawn over time, and what their axis says.
_HISTORY = {
    "p50_ms": "latency, ms (p50)",
    "relative_to_control": "latency ÷ control workload",
    "size_mb": "size, MB",
    "retention": "accuracy ÷ fp32's",
}


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
    """Draw rows as lines with a point at each value."""
    chart = base.mark_line(point=alt.OverlayMarkDef(size=30, opacity=1)).encode(
        strokeDash=dash_by_precision()
    )
    return finished(chart.properties(height=MAIN_HEIGHT))


def _bars(found: Rows, x: alt.X, colour: alt.Color) -> Specification:
    """Draw a bar for each row; parts of one that have an order lie upon each other in it."""
    chart = alt.Chart(data(found.points)).mark_bar(height=14)
    encoded = chart.encode(x=x, y=_named(found.points), color=colour, tooltip=tooltip(found.points))
    if "order" in found.points[0]:
        encoded = encoded.encode(order=alt.Order("order:O"))
    return finished(encoded.properties(height=_height(found.points)))


def _parts(field: str, title: str, colours: Mapping[str, str]) -> alt.Color:
    """Return the colours of a bar's parts."""
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    return alt.Color(f"{field}:N", title=title, sort=list(colours), scale=scale, legend=legend())


def _memory(report: Report) -> Chart | None:
    found = chart_rows.memory(report)
    if not found.points:
        return None
    x = alt.X("mib:Q", title="resident memory, MiB", stack=None)
    drawn = _bars(found, x, _parts("part", "when", _OF_PARTS))
    return Chart("memory", "Memory", found.caption, drawn, *found.table)


def _sizes(report: Report, kinds: Kinds) -> Chart | None:
    found = chart_rows.sizes(report)
    if not found.points:
        return None
    drawn = _bars(found, alt.X("mb:Q", title="size, MB (10⁶ bytes)"), colour_by_format(kinds))
    return Chart("size", "Size", found.caption, drawn, *found.table)


def _precision(report: Report) -> Chart | None:
    found = chart_rows.precision(report)
    if not found.points:
        return None
    ran = dict.fromkeys(one["precision"] for one in found.points)
    x = alt.X("share:Q", title="share of multiply-accumulates", axis=alt.Axis(format=".0%"))
    drawn = _bars(
        found, x, _parts("precision", "ran in", {kind: _OF_PRECISIONS.get(kind, _OTHER) for kind in ran})
    )
    return Chart("precision", "Proof of precision", found.caption, drawn, *found.table)


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


def history_charts(reports: Sequence[Report], kinds: Kinds) -> list[Chart]:
    """Return figures of each variant over reports of one name."""
    drawn = (
        (key, title, chart_rows.history(reports, column_of(key), title)) for key, title in _HISTORY.items()
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
