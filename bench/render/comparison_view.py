"""A comparison of networks for a terminal of any width. Pure: it prints nothing."""

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bench.compare.document import NetworkComparison, NetworkRow
from bench.render.comparison_text import (
    FIGURES,
    NONE,
    ComparisonColumn,
    against_columns,
    all_remarks,
    columns_with_values,
    common_conditions,
    compared_rows,
    front_sentence,
    gaps,
    sentences,
    status_of,
    title,
)
from bench.render.layout import Hanging, empty_table, hanging, that_fit
from bench.render.lines import line
from bench.render.terminal import remark_text, status_text
from bench.report.schema import Report


def comparison_view(comparison: NetworkComparison, reports: Sequence[Report], width: int) -> RenderableType:
    """Return a comparison for a terminal `width` columns wide. `reports`: those of its networks."""
    rows = compared_rows(comparison)
    figures = _fitting(comparison.rows, FIGURES, _figures_table, width)
    pairs: list[RenderableType] = []
    if rows:
        pairs = [Text(), _fitting(rows, against_columns(rows), _against_table, width)]
    return Group(
        Hanging(line(title(comparison), "bold")),
        figures,
        *hanging([f"* {front_sentence(comparison)}"], "bold"),
        *pairs,
        *hanging(sentences(comparison)),
        *hanging(gaps(comparison), "yellow"),
        *hanging(f"note: {note}" for note in comparison.notes),
        *hanging(common_conditions(reports), "dim"),
        *(Hanging(remark_text(remark)) for remark in all_remarks(reports)),
    )


def _fitting(
    rows: Sequence[NetworkRow],
    columns: Sequence[ComparisonColumn],
    table_of: Callable[[Sequence[NetworkRow], Sequence[ComparisonColumn]], Table],
    width: int,
) -> Table:
    """Return the table with the columns that the terminal has room for."""
    available = columns_with_values(columns, rows)
    shown = that_fit(available, lambda column: column.place, lambda some: table_of(rows, some), width)
    return table_of(rows, shown)


def _figures_table(rows: Sequence[NetworkRow], columns: Sequence[ComparisonColumn]) -> Table:
    table = empty_table()
    table.add_column("network and file", overflow="fold")
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    table.add_column("provenance", no_wrap=True)
    for row in rows:
        name = line(f"{'*' if row.on_front else ' '} {row.name}", "bold" if row.on_front else "")
        table.add_row(name, *(_cell(column.text(row)) for column in columns), status_text(status_of(row)))
    return table


def _against_table(rows: Sequence[NetworkRow], columns: Sequence[ComparisonColumn]) -> Table:
    table = empty_table()
    table.add_column(line(f"against {_baselines(rows)}"), overflow="fold")
    for column in columns:
        table.add_column(column.title, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(line(row.name), *(_cell(column.text(row)) for column in columns))
    return table


def _baselines(rows: Sequence[NetworkRow]) -> str:
    names = {row.against.baseline for row in rows if row.against is not None}
    return names.pop() if len(names) == 1 else "the baseline"


def _cell(text: str) -> Text:
    return Text(text, "dim" if text == NONE else "")
