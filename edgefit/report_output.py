"""How a command ends once it has a report: the table, the exit code, the next step."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgefit.terminal import Output

if TYPE_CHECKING:
    from bench.report.schema import Report

_MISSING = 3
_CASE_FAILED = 4


def show_report(report: "Report", output: Output) -> None:
    """Print a report as a table."""
    from bench.render.terminal import report_view

    output.show(report_view(report, output.console.width))


def exit_code_of(report: "Report") -> int:
    """Return the exit code for a report: 4 if a case failed, 3 if none completed, else 0."""
    statuses = [run.status for run in report.runs if run.is_variant]
    if "failed" in statuses:
        return _CASE_FAILED
    return 0 if "completed" in statuses else _MISSING


def show_next_step(files: Sequence[Path], output: Output) -> None:
    """Print what to do with the report files, or how to get one."""
    names = shlex.join(map(str, files))
    output.next_step(
        f"edgefit report {names} --html report.html" if names else "add --out report.json to keep this report"
    )
