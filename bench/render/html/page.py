"""Reports as one self-contained HTML page. Pure: reports and choices in, text out."""

import base64
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import jinja2

from bench.choose.choosing import Choice
from bench.compare.document import NetworkComparison
from bench.render.class_text import without_images
from bench.render.html import bar_charts, latency_charts
from bench.render.html.comparison import compared_of
from bench.render.html.drawing import SIGNS, Chart, Kinds, kinds_of, provenance_of
from bench.render.html.flips import MOST_IMAGES, Flips, flips_of
from bench.render.html.library import bundled_library
from bench.render.html.main_chart import main_chart
from bench.render.html.recalls import Recalls, recalls_of
from bench.render.html.rows import head_of, option_names, rows_of
from bench.render.report_text import (
    Remark,
    conditions,
    controls_line,
    projections,
    proxy_terms,
    reference_line,
    remarks,
)
from bench.render.text import REPORT_MARKER, noun_of, subjects_of, titles_of
from bench.report.class_tables import ClassTable, class_tables
from bench.report.schema import Report
from user_files.printable import printable_lines, without_commands

# The number of samples drawn on a page. More would take longer to draw, and no screen is that wide.
_MOST_SAMPLES = 20_000
# More columns of a confusion matrix are no longer read across.
_MOST_COLUMNS = 20
# Tables of more classes take the whole width of the page, one below the other.
_MOST_SIDE_BY_SIDE = 4

Thumbnail = Callable[[int], str]


@dataclass(frozen=True)
class Device:
    """One report as a column of the page."""

    number: int
    title: str
    subject: str
    """What was measured, with the beginning of its hash."""
    report: Report
    provenance: str
    conditions: tuple[str, ...]
    terms: tuple[str, ...]
    controls: tuple[str, ...]
    projections: tuple[str, ...]
    remarks: tuple[Remark, ...]
    charts: tuple[Chart, ...]
    recalls: Recalls | None
    """The recall of each class; None where no image has one."""
    classes: tuple[ClassTable, ...]
    """Each class and what it is taken for; empty where no image has one."""
    without_images: str
    """Which classes have no images; empty if all have some."""
    flips: Flips
    evaluated: int
    """How many rows classified the evaluation images."""
    answers: str
    """What they classified, with its number: images, or labels of images."""


def to_html(
    reports: Sequence[Report],
    choices: Sequence[Choice],
    earlier: Sequence[Report] = (),
    thumbnails: Mapping[str, Thumbnail] | None = None,
    comparison: NetworkComparison | None = None,
    library: bytes | None = None,
) -> str:
    """Return the page.

    `comparison`: of the reports' networks, which takes the place of the choices; None for no comparison.

    `earlier` are reports of one name whose history is drawn, `reports` included; empty for no history.
    `thumbnails` has, by the hash of an evaluation pack, the function that returns one of its images as a
    `data:` address; None for no images. `library`: the packed scripts that draw charts; None to bundle them.
    """
    every = 1 + sum(map(_samples_of, reports)) // _MOST_SAMPLES
    kinds = kinds_of([*reports, *earlier])
    history = latency_charts.history_charts(earlier, kinds)
    titles = titles_of(reports)
    devices = [
        _device(number, titles[number], report, _charts_of(report, every, kinds), thumbnails or {})
        for number, report in enumerate(reports)
    ]
    charts = {f"{device.number}-{chart.key}": chart for device in devices for chart in device.charts}
    compared = None if comparison is None else compared_of(comparison)
    if compared is not None and compared.chart is not None:
        charts["compared"] = compared.chart
    charts |= {f"history-{chart.key}": chart for chart in history}
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    page: str = environment.from_string(_text("page.html.jinja")).render(
        marker=REPORT_MARKER,
        names=list(dict.fromkeys(report.name for report in reports)),
        # A report of model files is named by their names, which have commas between them.
        separator=", " if reports[0].models is None else "; ",
        devices=devices,
        choices=choices,
        compared=compared,
        signs=SIGNS,
        sections=_sections(devices),
        has_wide_tables=any(
            len(table.rows) > _MOST_SIDE_BY_SIDE for device in devices for table in device.classes
        ),
        flips_after=_flips_after(devices),
        history=history,
        noun=noun_of(reports[0]),
        head=head_of(reports),
        option_names=option_names(reports),
        rows=rows_of(reports),
        specifications=_packed(
            json.dumps({key: _all_printable(chart.specification) for key, chart in charts.items()})
        ),
        most_images=0 if thumbnails is None else MOST_IMAGES,
        style=_text("page.css"),
        script=_text("page.js"),
        library=_in_base64(library or bundled_library()),
    )
    return page


def _printable(value: object) -> object:
    """Escape what a terminal or a CI system would follow in text of a report; not what the page brings."""
    return without_commands(printable_lines(value)) if type(value) is str else value


def _all_printable(value: object) -> object:
    """Return the values that a chart draws, with all their text printable."""
    if isinstance(value, dict):
        return {key: _all_printable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_all_printable(inner) for inner in value]
    return _printable(value)


def _charts_of(report: Report, every: int, kinds: Kinds) -> list[Chart]:
    """Return the charts that the report has data for. Of the samples, every `every`-th is drawn."""
    made = (
        main_chart(report, kinds),
        latency_charts.distributions(report, every, kinds),
        latency_charts.sustained(report, kinds),
        bar_charts.memory(report),
        bar_charts.sizes(report, kinds),
        bar_charts.retention(report, kinds),
        bar_charts.by_label(report),
        bar_charts.agreement(report, kinds),
        bar_charts.outputs(report),
        bar_charts.precision(report),
    )
    return [chart for chart in made if chart is not None]


def was_html(content: bytes) -> bool:
    """Tell whether this module wrote a file's content."""
    return content.startswith(f"<!doctype html>\n{REPORT_MARKER}".encode())


def _samples_of(report: Report) -> int:
    return sum(run.summary.latency.samples for run in report.runs if run.is_variant and run.summary)


def _device(
    number: int, title: str, report: Report, charts: Sequence[Chart], thumbnails: Mapping[str, Thumbnail]
) -> Device:
    return Device(
        number=number,
        title=title,
        subject=f"{subjects_of(report)} {report.subject.shown_sha256[:12]}",
        report=report,
        provenance=provenance_of(report),
        conditions=tuple(conditions(report)),
        terms=tuple(proxy_terms(report)),
        controls=(*reference_line(report), *controls_line(report)),
        projections=tuple(projections(report)),
        remarks=tuple(remarks(report)),
        charts=tuple(charts),
        recalls=recalls_of(report),
        classes=class_tables(report, _MOST_COLUMNS),
        without_images="; ".join(without_images(report)),
        flips=flips_of(report, None if report.bundle is None else thumbnails.get(report.bundle.pack_sha256)),
        evaluated=sum(run.accuracy is not None and run.accuracy.agreement is not None for run in report.runs),
        answers=_answers(report),
    )


def _sections(devices: Sequence[Device]) -> list[tuple[str, str, list[tuple[Device, Chart]]]]:
    """Return each kind of chart with the charts of all devices, which the page shows next to each other."""
    keys = dict.fromkeys((chart.key, chart.title) for device in devices for chart in device.charts)
    return [
        (key, title, [(device, chart) for device in devices for chart in device.charts if chart.key == key])
        for key, title in keys
    ]


def _answers(report: Report) -> str:
    evaluation = report.evaluation
    if evaluation is None:
        return "no images"
    if evaluation.output.kind == "labels":
        labels = evaluation.images * len(evaluation.reference_logits[0])
        return f"{labels} labels of {evaluation.images} images"
    return f"{evaluation.images} {'images' if report.bundle is None else report.bundle.samples}"


def _flips_after(devices: Sequence[Device]) -> str | None:
    """Return the chart behind which the changed images are shown; None where there are no classes."""
    keys = [chart.key for device in devices if device.evaluated for chart in device.charts]
    return next((key for key in ("accuracy", "agreement") if key in keys), None)


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _packed(text: str) -> str:
    """Return text as the page unpacks it: gzip, whose bytes are the same each time, in Base64."""
    return _in_base64(gzip.compress(text.encode(), mtime=0))


def _in_base64(packed: bytes) -> str:
    return base64.b64encode(packed).decode()
