"""How charts look: colours, shapes, scales and legends. It knows no report.

Text, axes and rules take the colour of the page's text, so that dark mode and print need no drawing anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from bench.bundle.variants import Precision

Specification = dict[str, Any]

INK = "currentColor"
# Okabe and Ito's colours, of which these stand out from white and from black alike (3 to 1 and more).
_COLOURS = ("#0072b2", "#009e73", "#d55e00", "#a06cc0", "#8c6d00", "#777777")
# What a latency is, by shape as well as by word: in charts, and as a sign beside the word.
SHAPES = {"measured": "circle", "proxy": "triangle-up", "projected": "diamond"}
SIGNS = {"measured": "●", "proxy": "▲", "projected": "◆"}
_LEAST_SPAN = 4


@dataclass(frozen=True)
class Kinds:
    """What all charts of a page show, so that one has one colour and one shape throughout."""

    formats: tuple[str, ...]
    provenances: tuple[str, ...]


def theme(background: str) -> Specification:
    """Return Vega-Lite's configuration."""
    return {
        "background": background,
        # The figure around it says in words what it shows.
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
            # One legend below the other: side by side they leave a phone's screen.
            "layout": {"top": {"direction": "vertical", "anchor": "start"}},
        },
        "title": {"anchor": "start", "color": INK, "subtitleColor": INK},
        "font": "system-ui, sans-serif",
    }


def spread_scale(values: Sequence[float]) -> alt.Scale:
    """Return a scale that is logarithmic where the values are several times apart."""
    if max(values) > _LEAST_SPAN * min(values):
        return alt.Scale(type="log")
    return alt.Scale(zero=False)


def colour_by_format(kinds: Kinds) -> alt.Color:
    """Return a colour for each format."""
    colours = [_COLOURS[index % len(_COLOURS)] for index in range(len(kinds.formats))]
    scale = alt.Scale(domain=list(kinds.formats), range=colours)
    return alt.Color("format:N", title="format", scale=scale, legend=legend())


def shape_by_provenance(kinds: Kinds) -> alt.Shape:
    """Return a shape for each word that says what a latency is."""
    scale = alt.Scale(domain=list(kinds.provenances), range=[SHAPES[word] for word in kinds.provenances])
    return alt.Shape("provenance:N", title="latency is", scale=scale, legend=legend())


def dash_by_precision() -> alt.StrokeDash:
    """Return a line style for each precision; captions say which, for Vega's legend draws no lines here."""
    scale = alt.Scale(domain=[one.value for one in Precision], range=[[1, 0], [6, 3], [2, 2]])
    return alt.StrokeDash("precision:N", scale=scale, legend=None)


def legend() -> alt.Legend:
    """Return a legend above the chart, in as little width as a phone has."""
    return alt.Legend(orient="top", direction="horizontal", columns=2, symbolOpacity=1)
