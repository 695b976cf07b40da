"""What charts are drawn from in general: flat rows of a report's own numbers, and the same as text. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.render.sentences import row_names
from bench.report.schema import Report, Run

# A row of Vega-Lite's inline data; its keys are the fields that a chart encodes.
Row = dict[str, Any]
Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]

# Writes one value of a row.
Text = Callable[[Row], str]


@dataclass(frozen=True)
class Rows:
    """The rows of a chart, its text as a table, and a sentence that says what there is to see.

    `table`: column names, then rows of text.
    """

    points: tuple[Row, ...]
    table: Table
    caption: str
    marks: tuple[Row, ...] = ()


def completed(report: Report) -> list[Run]:
    """Return the variants' rows that ran."""
    return [run for run in variants(report) if run.status == "completed"]


def variants(report: Report) -> list[Run]:
    """Return the rows that are neither the null runtime's nor the control workload's."""
    return [run for run in report.runs if run.is_variant]


def named(report: Report, run: Run) -> Row:
    """Return what tells a row from others, and what its latency is."""
    assert run.precision_ran is not None
    return {
        "row": row_names(report)[run.case],
        "format": run.format,
        "precision": run.precision_ran.requested.value,
        "provenance": run.provenance,
    }


def table_of(points: Sequence[Row], columns: Mapping[str, Text]) -> Table:
    """Return a table with a column for the variant and one for each of `columns`."""
    names = ("variant", *columns)
    return names, tuple((str(one["row"]), *(text(one) for text in columns.values())) for one in points)


def word(key: str) -> Text:
    """Write a row's value as it is."""
    return lambda row: str(row[key])


def number(key: str, digits: int, absent: str = "–") -> Text:
    """Write a row's number with so many digits, and `absent` where there is none."""
    return lambda row: absent if row[key] is None else f"{row[key]:.{digits}f}"


def milliseconds(key: str) -> Text:
    """Write a row's milliseconds with four digits."""
    return lambda row: "–" if row[key] is None else f"{row[key]:.4g}"


def share(key: str) -> Text:
    """Write a row's share between 0 and 1."""
    return number(key, 3)


def ends(low: str, high: str) -> Text:
    """Write the ends of an interval of such a share."""
    return lambda row: "–" if row[low] is None else f"{row[low]:.3f} to {row[high]:.3f}"


def provenance_of(report: Report) -> str:
    """Return what a report's latencies are: measured, if any row is."""
    words = {run.provenance for run in variants(report)}
    return "measured" if "measured" in words else "proxy"
