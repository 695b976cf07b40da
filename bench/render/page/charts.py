"""A report's charts, as Vega-Lite made with Altair. Pure: a report in, specifications out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt

from bench.render.page import chart_rows
from bench.render.page.chart_rows import BYTES_PER_MB, Row, Rows
from bench.render.page.looks import (
    INK,
    SHAPES,
    Kinds,
    Specification,
    colour_by_format,
    dash_by_precision,
    legend,
    looks,
    shape_by_standing,
    spread_scale,
)
from bench.reports.records import Report, Run

_ROW_HEIGHT = 26
_MAIN_HEIGHT = 300
_PICTURE_WIDTH = 420
_IN_A_ROW = 3
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


@dataclass(frozen=True)
class Chart:
    """A drawing with what it says in words, for whoever does not see it, and the numbers it is drawn from."""

    key: str
    title: str
    caption: str
    specification: Specification
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def charts_of(report: Report, every: int, kinds: Kinds) -> list[Chart]:
    """Return the charts that the report has data for; of samples every `every`-th is drawn."""
    made = (
        _latency_and_accuracy(report, kinds),
        _distributions(report, every, kinds),
        _sustained(report, kinds),
        _memory(report),
        _sizes(report, kinds),
        _retention(report, kinds),
        _precision(report),
    )
    return [one for one in made if one is not None]


def _latency_and_accuracy(report: Report, kinds: Kinds) -> Chart | None:
    found = chart_rows.main(report)
    if not found.points:
        return None
    chart = _main_layers(found, kinds).properties(height=_MAIN_HEIGHT)
    return Chart("main", "Latency against accuracy", found.caption, _finished(chart), *found.table)


def main_picture(reports: Sequence[Report]) -> Specification | None:
    """Return latency against accuracy of all reports side by side, as a picture of its own; None if empty."""
    kinds = kinds_of(reports)
    drawn = [(report, chart_rows.main(report)) for report in reports]
    charts = [
        _main_layers(found, kinds).properties(height=_MAIN_HEIGHT, width=_PICTURE_WIDTH, title=_title(report))
        for report, found in drawn
        if found.points
    ]
    if not charts:
        return None
    specification: Specification = alt.concat(*charts, columns=_IN_A_ROW).to_dict()
    specification["config"] = looks("white")
    return specification


def _title(report: Report) -> alt.Title:
    """Return the device, and below it what its latencies are and under which conditions."""
    host = report.host.board or report.host.cpu
    threads = sorted({run.threads for run in report.runs if run.is_variant})
    said = "measured" if report.stand_in is None else "stand-in"
    conditions = f"{said} on {host}, {' or '.join(map(str, threads))} threads, batch 1"
    return alt.Title(text=report.profile.name, subtitle=conditions)


def _main_layers(found: chart_rows.Main, kinds: Kinds) -> alt.LayerChart | alt.FacetChart:
    points = found.points
    times = [one[key] for one in points for key in ("p50", "p95") if one[key] is not None]
    times += [] if found.latency_limit is None else [found.latency_limit]
    x = alt.X("p50:Q", title="latency, ms (p50; line to p95)", scale=spread_scale(times))
    y = alt.Y("retention:Q", title="accuracy ÷ fp32's, 95 % interval", scale=alt.Scale(zero=False))
    colour = colour_by_format(kinds)
    base = alt.Chart(_data(points))
    layers = [
        base.mark_rule(opacity=0.3).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
    ]
    if any(one["p95"] is not None for one in points):
        layers.append(base.mark_rule(opacity=0.5).encode(x=x, x2="p95:Q", y=y, color=colour))
    if len(found.front) > 1:
        line = alt.Chart(_data(found.front)).mark_line(
            interpolate="step-after", color=INK, opacity=0.6, strokeDash=[2, 2]
        )
        layers.append(line.encode(x=x, y=y, order="order:O"))
    if found.latency_limit is not None:
        layers += _limit("x", found.latency_limit, f"p95 limit {found.latency_limit:g} ms")
    if found.least_retention is not None:
        layers += _limit("y", found.least_retention, f"least {found.least_retention:g}")
    for is_front in (False, True):
        chosen = [one for one in points if one["front"] is is_front]
        if chosen:
            layers.append(
                alt.Chart(_data(chosen))
                .mark_point(size=90, filled=is_front, opacity=1, strokeWidth=2)
                .encode(
                    x=x,
                    y=y,
                    color=colour,
                    shape=shape_by_standing(kinds),
                    tooltip=_tooltip(points),
                )
            )
    layers.append(
        alt.Chart(_data(found.front))
        .mark_text(align="left", dx=9, dy=-9, color=INK, fontSize=11)
        .encode(x=x, y=y, text="row:N")
    )
    ranges = found.projected
    if ranges:
        band = alt.Chart(_data(ranges)).encode(y=y, color=colour)
        layers.append(band.mark_rule(strokeWidth=3, opacity=0.6).encode(x="low_ms:Q", x2="high_ms:Q"))
        for end in ("low_ms:Q", "high_ms:Q"):
            layers.append(
                band.mark_point(shape=SHAPES["projected"], filled=True, size=60, opacity=1).encode(
                    x=end, tooltip=_tooltip(ranges)
                )
            )
    return alt.layer(*layers)


def _distributions(report: Report, every: int, kinds: Kinds) -> Chart | None:
    """Draw each sample as a stroke; a row's strokes are one line with gaps, which a phone can draw too."""
    found = chart_rows.samples(report, every)
    if not found.points:
        return None
    names = [one["row"] for one in found.points]
    strokes = (
        alt.Chart(_data(found.points))
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
        alt.Chart(_data(found.marks))
        .mark_point(shape="diamond", filled=True, size=70, color=INK, opacity=1)
        .encode(x="p50:Q", y=_indexed("index:Q", names), tooltip=_tooltip(found.marks))
    )
    chart = alt.layer(strokes, medians).properties(height=_height(found.points))
    return Chart("samples", "Every latency", found.caption, _finished(chart), *found.table)


def _sustained(report: Report, kinds: Kinds) -> Chart | None:
    found = chart_rows.sustained(report)
    if not found.points:
        return None
    chart = (
        alt.Chart(_data(found.points))
        .mark_line(point=alt.OverlayMarkDef(size=25))
        .encode(
            x=alt.X("at_s:Q", title="seconds without a pause"),
            y=alt.Y(
                "p50_ms:Q", title="latency, ms (p50 of a block)", scale=alt.Scale(type="log", nice=False)
            ),
            color=colour_by_format(kinds),
            strokeDash=dash_by_precision(),
            detail="row:N",
            tooltip=_tooltip(found.points),
        )
        .properties(height=_MAIN_HEIGHT)
    )
    return Chart("sustained", "Latency over time", found.caption, _finished(chart), *found.table)


def _memory(report: Report) -> Chart | None:
    found = chart_rows.memory(report)
    if not found.points:
        return None
    parts = ["peak", "loaded", "runtime"]
    chart = (
        alt.Chart(_data(found.points))
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
            tooltip=_tooltip(found.points),
        )
        .properties(height=_height(found.points))
    )
    return Chart("memory", "Memory", found.caption, _finished(chart), *found.table)


def _sizes(report: Report, kinds: Kinds) -> Chart | None:
    found = chart_rows.sizes(report)
    if not found.points:
        return None
    chart = (
        alt.Chart(_data(found.points))
        .mark_bar(height=14)
        .encode(
            x=alt.X("mb:Q", title="size, MB (10⁶ bytes)"),
            y=_named(found.points),
            color=colour_by_format(kinds),
            tooltip=_tooltip(found.points),
        )
        .properties(height=_height(found.points))
    )
    return Chart("size", "Size", found.caption, _finished(chart), *found.table)


def _retention(report: Report, kinds: Kinds) -> Chart | None:
    found = chart_rows.retention(report)
    if not found.points:
        return None
    base = alt.Chart(_data(found.points)).encode(y=_named(found.points), color=colour_by_format(kinds))
    x = alt.X("retention:Q", title="accuracy ÷ fp32's (retention)", scale=alt.Scale(zero=False))
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=_tooltip(found.points)),
    ]
    least = report.profile.budget.retention
    if least is not None:
        layers += _limit("x", least, f"least {least:g}", align="left")
    chart = alt.layer(*layers).properties(height=_height(found.points))
    return Chart("accuracy", "Accuracy", found.caption, _finished(chart), *found.table)


def _precision(report: Report) -> Chart | None:
    found = chart_rows.precision(report)
    if not found.points:
        return None
    kinds = list(dict.fromkeys(one["precision"] for one in found.points))
    known = {"fp32": "#0072b2", "fp16": "#56b4e9", "bf16": "#009e73", "int8": "#d55e00"}
    chart = (
        alt.Chart(_data(found.points))
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
            tooltip=_tooltip(found.points),
        )
        .properties(height=_height(found.points))
    )
    return Chart("precision", "Proof of precision", found.caption, _finished(chart), *found.table)


def history_charts(reports: Sequence[Report]) -> list[Chart]:
    """Return figures of each variant over reports of one name."""
    found = []
    for key, title, of in _HISTORY:
        rows = chart_rows.history(reports, of, title, key)
        if rows.points:
            found.append(_over_time(rows, title, key, kinds_of(reports)))
    return found


def _over_time(rows: Rows, title: str, key: str, kinds: Kinds) -> Chart:
    chart = (
        alt.Chart(_data(rows.points))
        .mark_line(point=alt.OverlayMarkDef(size=40))
        .encode(
            x=alt.X("created:T", title="measured at"),
            y=alt.Y(f"{key}:Q", title=title, scale=alt.Scale(zero=False)),
            color=colour_by_format(kinds),
            strokeDash=dash_by_precision(),
            shape=shape_by_standing(kinds),
            detail=["row:N", "device:N"],
            tooltip=_tooltip(rows.points),
        )
        .properties(height=_MAIN_HEIGHT)
    )
    return Chart(key, title, rows.caption, _finished(chart), *rows.table)


def _limit(axis: str, value: float, words: str, align: Literal["left", "right"] = "right") -> list[alt.Chart]:
    """Draw a budget's limit as a line with its words."""
    base = alt.Chart(_data([{"value": value, "words": words}]))
    if axis == "x":
        text = base.mark_text(align=align, dx=-4 if align == "right" else 4, y=8, color=INK, fontSize=11)
        return [
            base.mark_rule(color=INK, strokeDash=[6, 3]).encode(x="value:Q"),
            text.encode(x="value:Q", text="words:N"),
        ]
    text = base.mark_text(align="left", x=4, dy=-6, color=INK, fontSize=11)
    return [
        base.mark_rule(color=INK, strokeDash=[6, 3]).encode(y="value:Q"),
        text.encode(y="value:Q", text="words:N"),
    ]


def kinds_of(reports: Sequence[Report]) -> Kinds:
    """Return what there is of formats and standings in all reports."""
    rows = [run for report in reports for run in report.runs if run.is_variant]
    return Kinds(
        formats=tuple(sorted({run.format for run in rows})),
        standings=tuple(sorted({run.standing for run in rows if run.status == "completed"})),
    )


def _named(points: Sequence[Row]) -> alt.Y:
    names = list(dict.fromkeys(one["row"] for one in points))
    return alt.Y("row:N", title=None, sort=names, axis=alt.Axis(labelLimit=150))


def _height(points: Sequence[Row]) -> int:
    """Return the pixels that a chart with a line for each row needs."""
    return _ROW_HEIGHT * len({one["row"] for one in points})


def _indexed(field: str, names: Sequence[str]) -> alt.Y:
    """Return an axis of numbered rows with their names, top down."""
    words = ", ".join(f"'{name}'" for name in names)
    axis = alt.Axis(
        values=list(range(len(names))), labelExpr=f"[{words}][datum.value]", labelLimit=150, grid=False
    )
    return alt.Y(field, title=None, axis=axis, scale=alt.Scale(domain=[-0.6, len(names) - 0.4], reverse=True))


def _tooltip(points: Sequence[Row]) -> list[alt.Tooltip]:
    hidden = {"index", "order"}
    keys = dict.fromkeys(key for one in points for key in one if key not in hidden)
    return [
        alt.Tooltip(
            key, type="quantitative" if isinstance(points[0].get(key), int | float) else "nominal", format=""
        )
        for key in keys
    ]


def _data(rows: Sequence[Row]) -> alt.InlineData:
    return alt.InlineData(values=list(rows))


def _finished(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> Specification:
    """Return the specification, as wide as its place on the page."""
    whole = chart.properties(width="container", autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    specification: Specification = whole.to_dict()
    specification["config"] = looks("transparent")
    return specification
