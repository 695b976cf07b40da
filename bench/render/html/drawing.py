"""How a chart is put together: data, limits, tooltips, its place on the page. It knows no figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import altair as alt

from bench.render.html.row_text import Row, provenance_of, variants
from bench.render.html.theme import INK, Kinds, Specification, theme
from bench.render.titles import device_of
from bench.report.schema import Report

MAIN_HEIGHT = 300


@dataclass(frozen=True)
class Chart:
    """A drawing with what it says in words, for whoever does not see it, and the numbers it is drawn from."""

    key: str
    title: str
    caption: str
    specification: Specification
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def limit(axis: str, value: float, words: str, align: Literal["left", "right"] = "right") -> list[alt.Chart]:
    """Draw a budget's limit as a line with its words: left of it within the chart, or right of it above."""
    base = alt.Chart(data([{"value": value, "words": words}]))
    if axis == "x":
        dx, y = (-4, 8) if align == "right" else (4, -6)
        text = base.mark_text(align=align, dx=dx, y=y, color=INK, fontSize=11)
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
    """Return what there is of formats and provenances in all reports."""
    rows = [run for report in reports for run in variants(report)]
    words: set[str] = {run.provenance for run in rows if run.status == "completed"}
    words |= {"projected" for run in rows if run.projected_ms is not None}
    return Kinds(tuple(sorted({run.format for run in rows})), tuple(sorted(words)))


def tooltip(points: Sequence[Row]) -> list[alt.Tooltip]:
    """Return what is told of a point: all that its row has."""
    hidden = {"index", "order", "front"}
    keys = dict.fromkeys(key for one in points for key in one if key not in hidden)
    return [
        alt.Tooltip(
            key, type="quantitative" if isinstance(points[0].get(key), int | float) else "nominal", format=""
        )
        for key in keys
    ]


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Return rows as a chart's own data."""
    return alt.InlineData(values=list(rows))


def finished(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> Specification:
    """Return the specification, as wide as its place on the page."""
    whole = chart.properties(width="container", autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    specification: Specification = whole.to_dict()
    specification["config"] = theme("transparent")
    return specification


def title_of(report: Report) -> alt.Title:
    """Return the device, and below it what its latencies are and under which conditions."""
    threads = sorted({run.threads for run in variants(report)})
    words = "thread" if threads == [1] else "threads"
    conditions = f"{provenance_of(report)}, {' or '.join(map(str, threads))} {words}, batch 1"
    return alt.Title(text=device_of(report), subtitle=conditions, fontSize=12, subtitleFontSize=11)
