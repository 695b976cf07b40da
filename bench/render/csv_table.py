"""Reports as CSV: one line for each row of each report, all columns, raw numbers. Pure: it writes no file."""

import csv
import io
from collections.abc import Iterable

from bench.render import columns
from bench.report.schema import Report

_BEGINNING = "report,created,profile,host,"


def was_csv(content: bytes) -> bool:
    """Tell whether any version of this module wrote a file's content."""
    return content.startswith(_BEGINNING.encode())


def to_csv(reports: Iterable[Report]) -> str:
    """Return the reports' rows as CSV with a header. A cell is empty where there is no value."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    numbers = [column.key for column in columns.COLUMNS]
    writer.writerow(
        [*(column.key for column in columns.IDENTITY), *numbers, *(column.key for column in columns.REMARKS)]
    )
    for report in reports:
        for run in report.runs:
            writer.writerow(
                [
                    *(column.value(report, run) for column in columns.IDENTITY),
                    *(column.value(run) for column in columns.COLUMNS),
                    *(column.value(report, run) for column in columns.REMARKS),
                ]
            )
    return out.getvalue()
