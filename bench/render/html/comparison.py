"""What the page says and draws of a comparison of networks. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.compare.document import NetworkComparison, NetworkRow
from bench.render.comparison_text import (
    FIGURES,
    PROVENANCE,
    ComparisonColumn,
    against_columns,
    columns_with_values,
    compared_rows,
    front_sentence,
    gaps,
    sentences,
    title,
)
from bench.render.html.comparison_chart import comparison_chart
from bench.render.html.drawing import Chart


@dataclass(frozen=True)
class ComparisonTable:
    """A table of the page."""

    name: str
    """What it shows."""
    columns: tuple[ComparisonColumn, ...]
    """Its columns."""
    rows: tuple[tuple[str, bool, tuple[str, ...]], ...]
    """Each row: its name, whether it is on the front, and its cells."""


@dataclass(frozen=True)
class ComparisonSection:
    """What the page says of a comparison."""

    title: str
    front: str
    sentences: tuple[str, ...]
    gaps: tuple[str, ...]
    tables: tuple[ComparisonTable, ...]
    chart: Chart | None
    """All files of all networks in one chart; None if no row has what is drawn."""


def compared_of(comparison: NetworkComparison) -> ComparisonSection:
    """Return the section of the page."""
    rows = compared_rows(comparison)
    figures = [*columns_with_values(FIGURES, comparison.rows), PROVENANCE]
    tables = [_table("The figures of each file", comparison.rows, figures)]
    if rows:
        tables.append(_table("Each file against the baseline", rows, against_columns(rows)))
    return ComparisonSection(
        title=title(comparison),
        front=front_sentence(comparison),
        sentences=tuple(sentences(comparison)),
        gaps=(*gaps(comparison), *comparison.notes),
        tables=tuple(tables),
        chart=comparison_chart(comparison),
    )


def _table(name: str, rows: Sequence[NetworkRow], columns: Sequence[ComparisonColumn]) -> ComparisonTable:
    return ComparisonTable(
        name=name,
        columns=tuple(columns),
        rows=tuple((row.name, row.on_front, tuple(column.text(row) for column in columns)) for row in rows),
    )
