"""Which of two reports is from an older edgefit, in words. Pure."""

from typing import Literal

from packaging.version import InvalidVersion, Version

from bench.report.schema import Report

Age = Literal["older", "newer", "another"]


def differing_versions(candidate: Report, baseline: Report) -> list[str]:
    """Return, in words, whether the baseline's report is from an older or newer edgefit; else nothing."""
    age = _age(baseline, candidate)
    if age is None:
        return []
    here, there = (f"{report.tool}, schema {report.written_schema}" for report in (candidate, baseline))
    article = "another" if age == "another" else f"{'an' if age == 'older' else 'a'} {age}"
    return [f"the baseline's report is from {article} edgefit: {there}; the candidate's is from {here}"]


def _age(report: Report, other: Report) -> Age | None:
    """Return how old the edgefit of a report is beside another's; None if they are the same."""
    if report.written_schema != other.written_schema:
        return "older" if report.written_schema < other.written_schema else "newer"
    if report.tool == other.tool:
        return None
    try:
        versions = Version(report.tool), Version(other.tool)
    except InvalidVersion:
        return "another"
    return "older" if versions[0] < versions[1] else "newer"
