"""The page's table of all rows. Pure: it draws nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.render.columns import Column, available_columns, cell_of
from bench.render.text import titles_of
from bench.report.schema import Report, Run


@dataclass(frozen=True)
class HeadCell:
    """A column's head."""

    key: str
    """The column's name."""
    title: str
    """Its heading."""
    explanation: str
    """What its numbers mean."""


@dataclass(frozen=True)
class TableCell:
    """A row's value in one column."""

    key: str
    """The column's name."""
    text: str
    """The value as it is shown; `–` where there is none."""
    value: float | None
    """The report's own number, for sorting; None where there is none."""


@dataclass(frozen=True)
class TableRow:
    """One row of one report."""

    device: str
    name: str
    status: str
    provenance: str
    options: Mapping[str, object]
    """The run's options by their names, as in RunOptions."""
    cells: tuple[TableCell, ...]


def head_of(reports: Sequence[Report]) -> list[HeadCell]:
    """Return the heads of the columns that have a number in any report."""
    return [
        HeadCell(column.key, column.heading, column.explanation) for column in available_columns(*reports)
    ]


def rows_of(reports: Sequence[Report]) -> list[TableRow]:
    """Return every variant's row of every report."""
    columns = available_columns(*reports)
    return [
        _row(title, report, run, columns)
        for report, title in zip(reports, titles_of(reports), strict=True)
        for run in report.runs
        if run.is_variant
    ]


def _row(device: str, report: Report, run: Run, columns: Sequence[Column]) -> TableRow:
    return TableRow(
        device=device,
        name=run.case,
        status=run.status,
        provenance=run.provenance,
        options=run.config.options.model_dump(),
        cells=tuple(
            TableCell(column.key, cell_of(column, run, report), column.value(run)) for column in columns
        ),
    )
