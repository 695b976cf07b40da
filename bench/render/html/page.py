"""Reports as one HTML page that needs nothing but itself. Pure: reports and choices in, text out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import jinja2
import vl_convert

from bench.choose.choosing import Choice
from bench.render import proxy_text
from bench.render.html.charts import charts_of, history_charts
from bench.render.html.drawing import Chart, kinds_of
from bench.render.html.flips import MOST_IMAGES, Flip, flips_of
from bench.render.html.row_text import provenance_of
from bench.render.html.table import head_of, rows_of
from bench.render.html.theme import SIGNS
from bench.render.sentences import Remark, beside, conditions, remarks, row_names
from bench.render.titles import titles_of
from bench.report.schema import Report

MARKER = "<!-- edgefit report -->"
# Strokes of single latencies on a page. More of them take megabytes, and no screen has as many columns.
_MOST_SAMPLES = 60_000

Thumbnail = Callable[[int], str]


@dataclass(frozen=True)
class Device:
    """One report as a column of the page."""

    number: int
    title: str
    report: Report
    provenance: str
    conditions: tuple[str, ...]
    terms: tuple[str, ...]
    beside: tuple[str, ...]
    projections: tuple[str, ...]
    remarks: tuple[Remark, ...]
    charts: tuple[Chart, ...]
    flips: tuple[Flip, ...]
    judged: int


def to_html(
    reports: Sequence[Report],
    choices: Sequence[Choice],
    earlier: Sequence[Report] = (),
    thumbnails: Mapping[str, Thumbnail] | None = None,
) -> str:
    """Return the page.

    `earlier`: reports of the same name to draw over time, these among them; none draws no history.
    `thumbnails`: by the hash of an evaluation pack what gives one of its images as a `data:` address; None
    leaves images out.
    """
    every = 1 + sum(map(_samples_of, reports)) // _MOST_SAMPLES
    kinds = kinds_of([*reports, *earlier])
    history = history_charts(earlier, kinds)
    titles = titles_of(reports)
    devices = [
        _device(number, titles[number], one, charts_of(one, every, kinds), thumbnails or {})
        for number, one in enumerate(reports)
    ]
    charts = {f"{one.number}-{chart.key}": chart for one in devices for chart in one.charts}
    charts |= {f"history-{chart.key}": chart for chart in history}
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page: str = environment.from_string(_text("page.html.jinja")).render(
        marker=MARKER,
        names=list(dict.fromkeys(one.name for one in reports)),
        devices=devices,
        choices=choices,
        signs=SIGNS,
        sections=_sections(devices),
        history=history,
        head=head_of(reports),
        rows=rows_of(reports),
        specifications={key: chart.specification for key, chart in charts.items()},
        most_images=0 if thumbnails is None else MOST_IMAGES,
        style=_text("page.css"),
        script=_text("page.js"),
        library=_library(),
    )
    return page


def was_html(content: bytes) -> bool:
    """Tell whether a file's content is an earlier page."""
    return content.startswith(f"<!doctype html>\n{MARKER}".encode())


def _samples_of(report: Report) -> int:
    return sum(run.latency_ms.samples for run in report.runs if run.is_variant and run.latency_ms)


def _device(
    number: int, title: str, report: Report, charts: Sequence[Chart], thumbnails: Mapping[str, Thumbnail]
) -> Device:
    names = row_names(report)
    return Device(
        number=number,
        title=title,
        report=report,
        provenance=provenance_of(report),
        conditions=tuple(conditions(report)),
        terms=tuple(proxy_text.terms(report)),
        beside=tuple(beside(report)),
        projections=tuple(proxy_text.projections(report, names)),
        remarks=tuple(remarks(report, names)),
        charts=tuple(charts),
        flips=tuple(flips_of(report, thumbnails.get(report.bundle.pack_sha256))),
        judged=sum(run.accuracy is not None for run in report.runs),
    )


def _sections(devices: Sequence[Device]) -> list[tuple[str, str, list[tuple[Device, Chart]]]]:
    """Return each kind of chart with those of all devices, so that these stand side by side."""
    keys = dict.fromkeys((chart.key, chart.title) for one in devices for chart in one.charts)
    return [
        (key, title, [(one, chart) for one in devices for chart in one.charts if chart.key == key])
        for key, title in keys
    ]


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """Return Vega, Vega-Lite and vega-embed as one script, which vl-convert brings along."""
    script: str = vl_convert.javascript_bundle()  # type: ignore[call-arg] # its stub lacks the default
    return script.replace("</script", "<\\/script")
