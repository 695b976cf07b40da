"""Checks of two made reports, for tests of how a check is shown."""

from bench.gate.check_reports import check_reports
from bench.gate.document import Checked
from bench.gate.options import CheckOptions, Limits
from bench.measurements import Outcome
from bench.report.schema import Report
from making.compared_report import Row, made_report


def report(**rows: Row | Outcome) -> Report:
    return made_report({name.replace("_", "-"): row for name, row in rows.items()})


def checked(candidate: Report, baseline: Report, strict: bool = False) -> Checked:
    options = CheckOptions(limits=Limits(max_slowdown=0.15), strict=strict)
    return check_reports(candidate, baseline, options, "0", "now")
