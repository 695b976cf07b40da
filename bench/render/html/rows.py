"""The page's table of all rows. Pure: it draws nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.render.columns import Column, available_columns, cell_of
from bench.render.text import titles_of
from bench.report.schema import Report, Run
from bench.run_config import RunOptions


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
    columns, names = available_columns(*reports), option_names(reports)
    return [
        _row(title, report, run, columns, names)
        for report, title in zip(reports, titles_of(reports), strict=True)
        for run in report.runs
        if run.is_variant
    ]


def option_names(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return the options of runs that are not empty in all rows."""
    configs = [run.config for report in reports for run in report.runs if run.is_variant]
    return tuple(
        name for name in RunOptions.model_fields if any(getattr(config, name) != "" for config in configs)
    )


def _row(device: str, report: Report, run: Run, columns: Sequence[Column], names: Sequence[str]) -> TableRow:
    return TableRow(
        device=device,
        name=run.case,
        status=run.status,
        provenance=run.provenance,
        options={name: getattr(run.config, name) for name in names},
        cells=tuple(
            TableCell(column.key, cell_of(column, run, report), column.value(run)) for column in columns
        ),
    )
