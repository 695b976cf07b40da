"""What charts are drawn from in general: flat rows of a report's own numbers, and the same as text. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.render.sentences import row_names
from bench.reports.records import Report, Run

# A row of Vega-Lite's inline data; its keys are the fields that a chart encodes.
Row = dict[str, Any]
Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]

BYTES_PER_MB = 1e6
NONE = "–"


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
    """Return the rows that are neither the null runtime's nor the yardstick's."""
    return [run for run in report.runs if run.is_variant]


def named(report: Report, run: Run) -> Row:
    """Return what tells a row from others, and what its latency is."""
    assert run.precision_ran is not None
    return {
        "row": row_names(report)[run.case],
        "format": run.format,
        "precision": run.precision_ran.requested.value,
        "standing": run.standing,
    }


def table_of(points: Sequence[Row], columns: Mapping[str, Callable[[Row], str]]) -> Table:
    """Return a table with a column for the variant and one for each of `columns`."""
    names = ("variant", *columns)
    return names, tuple((str(one["row"]), *(of(one) for of in columns.values())) for one in points)


def written(value: float | None, digits: int, absent: str = NONE) -> str:
    """Write a number with so many digits, and `absent` where there is none."""
    return absent if value is None else f"{value:.{digits}f}"


def ms_text(value: float | None) -> str:
    """Write milliseconds."""
    return NONE if value is None else f"{value:.4g}"


def share_text(value: float | None) -> str:
    """Write a share between 0 and 1."""
    return written(value, 3)


def ends_text(low: float | None, high: float | None) -> str:
    """Write the ends of an interval of such a share."""
    return NONE if low is None else f"{share_text(low)} to {share_text(high)}"


def device_of(report: Report) -> str:
    """Return a report's profile and the machine that it was measured on."""
    return f"{report.profile.name} on {report.host.board or report.host.cpu}"


def standing_of(report: Report) -> str:
    """Return what a report's latencies are: measured, if any row is."""
    words = {run.standing for run in variants(report)}
    return "measured" if "measured" in words else "stand-in"
