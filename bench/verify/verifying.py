"""`edgefit report REPORT --verify`: what can be derived of a report is derived again, and compared.

It runs no model: what was measured, such as samples and memory, stands in the report alone.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from bench.bundle.manifest import Bundle
from bench.errors import InputError, ReportMismatchError
from bench.report.files import checked_row, parse_unchecked, read_content
from bench.report.schema import Report
from bench.verify.conditions import conditions_part, projections_part
from bench.verify.document import VerifiedPart, VerifiedReport, part
from bench.verify.expected_warnings import warnings_part
from bench.verify.sampling import predictions_part, samples_part, timed_outputs_part, times_part
from bench.verify.subject import subject_part


def verify_file(path: Path, bundle: Bundle | None, tool: str, now: datetime) -> VerifiedReport:
    """Verify a report's file.

    `bundle`: the bundle that was measured, if it is at hand. `tool`: this version of edgefit: what another
    one wrote in its own words is not compared. Raises InputError if there is no such file.
    """
    content = read_content(path)
    try:
        report = parse_unchecked(content, path)
    except InputError as error:
        wrong = part("schema", "the file is read", [_without(path, str(error))])
        return VerifiedReport(path=str(path), parts=(wrong,))
    return VerifiedReport(path=str(path), parts=tuple(_parts(path, report, bundle, tool, now)))


def _parts(
    path: Path, report: Report, bundle: Bundle | None, tool: str, now: datetime
) -> Iterator[VerifiedPart]:
    schema = f"schema {report.written_schema}: every key and value is of its kind"
    yield part("schema", schema)
    is_of_this_version = report.tool == tool and report.converted_from is None
    derived: dict[str, Callable[[], VerifiedPart]] = {
        "summaries": lambda: _summaries_part(path, report),
        "dates": lambda: times_part(report, now),
        "samples": lambda: samples_part(report),
        "predictions": lambda: predictions_part(report),
        "timed outputs": lambda: timed_outputs_part(report),
        "bundle or model files": lambda: subject_part(report, bundle),
        "conditions": lambda: conditions_part(report),
        "projections": lambda: projections_part(report, is_of_this_version),
        "warnings": lambda: warnings_part(report, bundle, is_of_this_version),
    }
    for name, derive in derived.items():
        yield _derived(name, derive)
    yield _measured_part()


def _derived(name: str, derive: Callable[[], VerifiedPart]) -> VerifiedPart:
    """Return a part; values that nothing can be derived from, such as a machine without cores, are wrong."""
    try:
        return derive()
    except (InputError, ValueError, LookupError, ArithmeticError) as error:
        return part(name, None, [f"its values do not fit together ({error})"])


def _summaries_part(path: Path, report: Report) -> VerifiedPart:
    """Derive each summary again, of which each figure of a table is a part."""
    outcomes = {run.case: run.outcome for run in report.runs}
    wrong = []
    if len(outcomes) < len(report.runs):
        wrong.append("two rows have one case")
    for run in report.runs:
        try:
            checked_row(path, report, run, outcomes)
        except ReportMismatchError as error:
            wrong.append(_without(path, str(error)))
    rows = sum(run.completed is not None for run in report.runs)
    judged = sum(run.completed is not None and run.completed.logits is not None for run in report.runs)
    checked = (
        f"latency, ratios, precision that ran and outputs of {rows} rows follow from samples and graphs; "
        f"accuracy, agreement, retention, recalls, flips and missed of {judged} from logits and labels"
    )
    metrics = {metric.name for run in report.runs for metric in run.metrics}
    gaps = [f"{name} is a function of the user's own" for name in sorted(metrics)]
    return part("summaries", checked, wrong, gaps)


def _without(path: Path, message: str) -> str:
    """Return a message without the file's name, which stands above it."""
    return message.removeprefix(f"{path}: ").removeprefix(f"{path} ")


def _measured_part() -> VerifiedPart:
    gap = (
        "samples, memory, load times, energy, logits, executed graphs, why a row failed, versions of "
        "runtimes, the machine and its state stand in the report alone: measure again to see whether they "
        "are repeated"
    )
    return part("measurements", None, gaps=[gap])
