"""The parts of every chart: rows of data, colours, shapes, limits, tooltips. It knows no single chart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt

from bench.bundle.variants import Precision
from bench.render.text import device_of
from bench.report.schema import Report, Run

Specification = dict[str, Any]

INK = "currentColor"
# Colours of Okabe and Ito that have a contrast of at least 3 to 1 to white and to black.
_COLOURS = ("#0072b2", "#009e73", "#d55e00", "#a06cc0", "#8c6d00", "#777777")
# A shape for each provenance, in charts and as a sign next to the word.
SHAPES = {"measured": "circle", "proxy": "triangle-up", "projected": "diamond"}
SIGNS = {"measured": "●", "proxy": "▲", "projected": "◆"}
_LEAST_SPAN = 4


@dataclass(frozen=True)
class Kinds:
    """The formats and provenances of all charts of a page, so that colours and shapes are the same in all."""

    formats: tuple[str, ...]
    provenances: tuple[str, ...]


def theme(background: str) -> Specification:
    """Return Vega-Lite's configuration."""
    return {
        "background": background,
        # The surrounding figure element describes the chart in words.
        "aria": False,
        "mark": {"aria": False},
        "view": {"stroke": None},
        "axis": {
            "aria": False,
            "labelColor": INK,
            "titleColor": INK,
            "tickColor": INK,
            "domainColor": INK,
            "gridColor": INK,
            "gridOpacity": 0.12,
            "labelFontSize": 11,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
        },
        "legend": {
            "aria": False,
            "labelColor": INK,
            "titleColor": INK,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "symbolBaseStrokeColor": INK,
            "symbolBaseFillColor": INK,
            # Legends are stacked, because two of them in a row are wider than a phone's screen.
            "layout": {"top": {"direction": "vertical", "anchor": "start"}},
        },
        "title": {"anchor": "start", "color": INK, "subtitleColor": INK},
        "font": "system-ui, sans-serif",
    }


def spread_scale(values: Sequence[float]) -> alt.Scale:
    """Return a scale. It is logarithmic where the values differ by a large factor."""
    if max(values) > _LEAST_SPAN * min(values):
        return alt.Scale(type="log")
    return alt.Scale(zero=False)


def colour_by_format(kinds: Kinds) -> alt.Color:
    """Return a colour for each format."""
    return _colour_by("format", kinds.formats)


def colour_by_network(networks: Sequence[str]) -> alt.Color:
    """Return a colour for each network; of many networks several have one."""
    return _colour_by("network", networks)


def _colour_by(field: str, values: Sequence[str]) -> alt.Color:
    colours = [_COLOURS[index % len(_COLOURS)] for index in range(len(values))]
    scale = alt.Scale(domain=list(values), range=colours)
    return alt.Color(f"{field}:N", title=field, scale=scale, legend=legend())


def shape_by_provenance(kinds: Kinds) -> alt.Shape:
    """Return a shape for each provenance."""
    scale = alt.Scale(domain=list(kinds.provenances), range=[SHAPES[word] for word in kinds.provenances])
    return alt.Shape("provenance:N", title="provenance", scale=scale, legend=legend())


def dash_by_precision() -> alt.StrokeDash:
    """Return a line style for each precision. Captions explain them, because Vega's legend draws no lines."""
    scale = alt.Scale(domain=[precision.value for precision in Precision], range=[[1, 0], [6, 3], [2, 2]])
    return alt.StrokeDash("precision:N", scale=scale, legend=None)


def legend() -> alt.Legend:
    """Return a legend above the chart, narrow enough for a phone."""
    return alt.Legend(orient="top", direction="horizontal", columns=2, symbolOpacity=1)


# A row of Vega-Lite's inline data; its keys are the fields that a chart encodes.
Row = dict[str, Any]
Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]

# Writes one value of a row.
Text = Callable[[Row], str]


@dataclass(frozen=True)
class Rows:
    """The data of a chart."""

    points: tuple[Row, ...]
    """The rows that are drawn."""
    table: Table
    """The same as text: column names, then rows."""
    caption: str
    """A sentence that describes what the chart shows."""
    marks: tuple[Row, ...] = ()
    """Further rows, which are drawn as marks of their own."""


def completed(report: Report) -> list[Run]:
    """Return the variants' rows that completed."""
    return [run for run in variants(report) if run.status == "completed"]


def variants(report: Report) -> list[Run]:
    """Return the rows without those of the two controls."""
    return [run for run in report.runs if run.is_variant]


def named(run: Run) -> Row:
    """Return the fields that identify a row, and its provenance."""
    assert run.precision is not None
    return {
        "row": run.case,
        "format": run.format,
        "precision": run.precision.value,
        "provenance": run.provenance,
    }


def table_of(noun: str, points: Sequence[Row], columns: Mapping[str, Text]) -> Table:
    """Return a table with a column for the variant or model (`noun`) and one for each of `columns`."""
    names = (noun, *columns)
    return names, tuple((str(row["row"]), *(text(row) for text in columns.values())) for row in points)


def word(key: str) -> Text:
    """Write a row's value as it is."""
    return lambda row: str(row[key])


def number(key: str, digits: int, absent: str = "–") -> Text:
    """Write a row's number with `digits` digits, or `absent` where there is none."""
    return lambda row: absent if row[key] is None else f"{row[key]:.{digits}f}"


def milliseconds(key: str) -> Text:
    """Write a row's milliseconds with four digits."""
    return lambda row: "–" if row[key] is None else f"{row[key]:.4g}"


def share(key: str) -> Text:
    """Write a row's share between 0 and 1."""
    return number(key, 3)


def ends(low: str, high: str) -> Text:
    """Write the ends of an interval of a share."""
    return lambda row: "–" if row[low] is None else f"{row[low]:.3f} to {row[high]:.3f}"


def provenance_of(report: Report) -> str:
    """Return the provenance of a report's latencies: measured, if any row is measured."""
    words = {run.provenance for run in variants(report)}
    return "measured" if "measured" in words else "proxy"


MAIN_HEIGHT = 300
_ROW_HEIGHT = 26


@dataclass(frozen=True)
class Chart:
    """A drawing, its description for readers who cannot see it, and the numbers that it shows."""

    key: str
    """Its name on the page."""
    title: str
    """Its heading."""
    caption: str
    """A sentence that describes what it shows."""
    specification: Specification
    """The drawing, in Vega-Lite."""
    columns: tuple[str, ...]
    """The column names of its numbers."""
    rows: tuple[tuple[str, ...], ...]
    """Its numbers, as rows of text."""


def limit(axis: str, value: float, words: str, align: Literal["left", "right"] = "right") -> list[alt.Chart]:
    """Draw a budget's limit as a line with a label: left of the line in the chart, or right of it above."""
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
    """Return the formats and provenances of all reports."""
    rows = [run for report in reports for run in variants(report)]
    words: set[str] = {run.provenance for run in rows if run.status == "completed"}
    words |= {"projected" for run in rows if run.projected is not None}
    return Kinds(tuple(sorted({run.format for run in rows})), tuple(sorted(words)))


def tooltip(points: Sequence[Row]) -> list[alt.Tooltip]:
    """Return the tooltip of a point: all fields of its row."""
    hidden = {"index", "order", "front"}
    keys = dict.fromkeys(key for row in points for key in row if key not in hidden)
    return [
        alt.Tooltip(
            key, type="quantitative" if isinstance(points[0].get(key), int | float) else "nominal", format=""
        )
        for key in keys
    ]


def data(rows: Sequence[Row]) -> alt.InlineData:
    """Return rows as a chart's inline data."""
    return alt.InlineData(values=list(rows))


def finished(chart: alt.Chart | alt.LayerChart | alt.FacetChart) -> Specification:
    """Return the specification, as wide as its place on the page."""
    whole = chart.properties(width="container", autosize=alt.AutoSizeParams(type="fit-x", contains="padding"))
    # The tests draw every chart in a browser; Altair's own check of each would take as long as making it.
    specification: Specification = whole.to_dict(validate=False)
    specification["config"] = theme("transparent")
    return specification


def title_of(report: Report) -> alt.Title:
    """Return the device, and below it the provenance and the conditions."""
    options = sorted({run.config.label for run in variants(report)})
    conditions = f"{provenance_of(report)}, {' or '.join(options)}"
    return alt.Title(text=device_of(report), subtitle=conditions, fontSize=12, subtitleFontSize=11)


def height_of(points: Sequence[Row]) -> int:
    """Return the pixels that a chart with a line for each row needs."""
    return _ROW_HEIGHT * len({row["row"] for row in points})
