"""What a command does with a report that is there: it shows it, and ends by its code."""

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
    """Show people a report."""
    from bench.render.terminal import report_view

    output.show(report_view(report, output.people.width))


def exit_code_of(report: "Report") -> int:
    """Return the exit code that a report stands for: 4 if a case failed, 3 if none completed, else 0."""
    statuses = [run.status for run in report.runs if run.is_variant]
    if "failed" in statuses:
        return _CASE_FAILED
    return 0 if "completed" in statuses else _MISSING


def say_what_next(kept: Sequence[Path], output: Output) -> None:
    """Say what to do with reports that were kept, or how to keep one."""
    names = shlex.join(map(str, kept))
    output.next_step(
        f"edgefit report {names} --html report.html" if names else "add --out report.json to keep this report"
    )
