"""Reports as CSV: one line for each row of each report, all columns, raw numbers. Pure: it writes no file."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bench.render import columns
from bench.render.columns import Subject, applies_to_any
from bench.render.report_text import figure_of
from bench.report.outputs_words import not_compared
from bench.report.schema import Report, Run
from bench.run_config import RunConfig
from user_files.printable import one_line, without_commands

_BEGINNING = "report,created,profile,host,"
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Cell: TypeAlias = str | int | float | None
"""The value of a cell; None where there is none."""


@dataclass(frozen=True)
class TextColumn:
    """A column of text or counts beside the table's columns of numbers."""

    key: str
    """Its name."""
    value: Callable[[Report, Run], str | int | None]
    """A row's value; None where there is none."""
    subject: Subject = Subject.ANY
    """Which reports can have a value."""


def _option(name: str) -> TextColumn:
    return TextColumn(name, lambda _report, run: getattr(run.config, name))


def _items(_report: Report, run: Run) -> int | None:
    """Return how many items of a model file's outputs were classified."""
    outputs = () if run.outputs is None else run.outputs.outputs
    return max((output.items for output in outputs if output.items is not None), default=None)


def _inputs(report: Report, run: Run) -> str | None:
    model = report.model_of(run)
    return None if model is None else ", ".join(tensor.words for tensor in model.inputs)


def _inputs_source(report: Report, run: Run) -> str | None:
    model = report.model_of(run)
    return None if model is None else model.values.source


IDENTITY = (
    TextColumn("report", lambda report, _run: report.name),
    TextColumn("created", lambda report, _run: report.created),
    TextColumn("profile", lambda report, _run: report.profile.name),
    TextColumn("host", lambda report, _run: report.host.board or report.host.cpu),
    TextColumn("case", lambda _report, run: run.case),
    TextColumn("variant", lambda _report, run: run.variant),
    TextColumn("format", lambda _report, run: run.format),
    TextColumn("precision", lambda _report, run: None if run.precision is None else run.precision.value),
    TextColumn("runtime", lambda _report, run: run.runtime),
    *(_option(name) for name in RunConfig.model_fields),
    TextColumn("status", lambda _report, run: run.status),
    TextColumn("provenance", lambda _report, run: run.provenance),
)
"""The columns that identify a line."""

REMARKS = (
    TextColumn("processes", lambda _report, run: run.summary.latency.processes if run.summary else None),
    TextColumn("samples", lambda _report, run: run.summary.latency.samples if run.summary else None),
    TextColumn("unsupported", lambda _report, run: run.summary.latency.unsupported if run.summary else None),
    TextColumn(
        "images", lambda _report, run: run.accuracy.images if run.accuracy else None, subject=Subject.BUNDLE
    ),
    TextColumn(
        "positive_class",
        lambda report, run: report.positive_name if run.accuracy else None,
        subject=Subject.BUNDLE,
    ),
    TextColumn(
        "reference",
        lambda report, run: report.reference_case if run.is_variant else None,
        subject=Subject.OUTPUTS,
    ),
    TextColumn("items", _items, subject=Subject.OUTPUTS),
    TextColumn("not_compared", not_compared, subject=Subject.OUTPUTS),
    TextColumn("inputs", _inputs, subject=Subject.OUTPUTS),
    TextColumn("inputs_source", _inputs_source, subject=Subject.OUTPUTS),
    TextColumn("reason", lambda _report, run: run.reason),
    TextColumn("projected_from", lambda _report, run: run.projected.basis if run.projected else None),
    TextColumn("projection_reason", lambda _report, run: run.projection_reason),
    TextColumn(
        "nearest_published",
        lambda _report, run: figure_of(run.nearest_published) if run.nearest_published else None,
    ),
    TextColumn("warnings", lambda _report, run: " | ".join(run.warnings)),
)
"""The columns that explain the numbers of a line."""


def was_csv(content: bytes) -> bool:
    """Tell whether any version of this module wrote a file's content."""
    return content.startswith(_BEGINNING.encode())


def to_csv(reports: Iterable[Report]) -> str:
    """Return the reports' rows as CSV with a header. A cell is empty where there is no value.

    Reports of bundles have all columns on accuracy, those of model files all on the comparison of outputs.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names, lines = header_and_lines(list(reports))
    writer.writerow(names)
    writer.writerows([harmless(value) for value in line] for line in lines)
    return out.getvalue()


def harmless(value: Cell) -> Cell:
    """Return a cell: text as one line, with an apostrophe before what a spreadsheet would compute.

    CI logs show such files too, so that a blank takes apart what a CI system would take for a command.
    """
    if not isinstance(value, str):
        return value
    shown = without_commands(one_line(value))
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown


def header_and_lines(reports: Sequence[Report]) -> tuple[list[str], list[list[Cell]]]:
    """Return the names of the columns, and a line for each row of each report; None: there is no value."""
    numbers = columns.columns_of(reports)
    remarks = [column for column in REMARKS if applies_to_any(column.subject, reports)]
    head = [column.key for column in numbers]
    names = [*(column.key for column in IDENTITY), *head, *(column.key for column in remarks)]
    lines = [
        [
            *(column.value(report, run) for column in IDENTITY),
            *(column.value(run) for column in numbers),
            *(column.value(report, run) for column in remarks),
        ]
        for report in reports
        for run in report.runs
    ]
    return names, lines
