"""Reports and checks in Bencher Metric Format. Pure."""

import json
from collections.abc import Sequence

from bench.gate.document import Checked
from bench.gate.findings import SHARE_SAME, Finding, Quantity
from bench.gate.worst_finding import case_name
from bench.render.check_text import by_case
from bench.render.text import titles_of
from bench.report.schema import Accuracy, Report, Run
from user_files.contents import ContentError
from user_files.json_text import json_of
from user_files.printable import printable_json

# The names are Bencher's own where it has one: latency in ns, memory and file-size in bytes.
LATENCY, LOAD_TIME, MEMORY, SIZE, ACCURACY = "latency", "load-time", "memory", "file-size", "accuracy"
MEASURES = (LATENCY, LOAD_TIME, MEMORY, SIZE, ACCURACY)
# Without labels: the share of inputs with the reference's class, or the SQNR of the outputs in dB.
AGREEMENT, SQNR = "agreement", "sqnr"

Measures = dict[str, dict[str, float]]


def report_to_bmf(reports: Sequence[Report]) -> str:
    """Return the figures of every completed row, by case, device and provenance."""
    document = {
        f"{run.case}, {title}, {run.provenance}": _measures_of_run(run)
        for report, title in zip(reports, titles_of(reports), strict=True)
        for run in report.runs
        if run.is_variant and run.status == "completed"
    }
    return _to_text(document)


def _to_text(document: dict[str, Measures]) -> str:
    """Return a document as JSON text."""
    return printable_json(json.dumps(document, indent=1, ensure_ascii=False)) + "\n"


def is_bmf(content: bytes, other_measures: Sequence[str] = ()) -> bool:
    """Tell whether a file's content has only the measures of this module and `other_measures`."""
    try:
        document = json_of(content)
    except ContentError:
        return False
    known = {*MEASURES, AGREEMENT, SQNR, *other_measures}
    return isinstance(document, dict) and all(
        isinstance(measures, dict) and measures and measures.keys() <= known for measures in document.values()
    )


def _measures_of_run(run: Run) -> Measures:
    assert run.summary is not None
    assert run.completed is not None
    latency = run.summary.latency
    values = {
        LATENCY: latency.p50_ns,
        LOAD_TIME: run.summary.load_ns,
        MEMORY: run.completed.memory.highest_bytes,
        SIZE: run.size_bytes,
        ACCURACY: None if run.accuracy is None else run.accuracy.top1,
        **_measures_without_accuracy(run.accuracy),
    }
    measures = {name: {"value": float(value)} for name, value in values.items() if value is not None}
    if latency.p50_ci95_ns is not None:
        low, high = latency.p50_ci95_ns
        measures[LATENCY] |= {"lower_value": low, "upper_value": high}
    return measures


def _measures_without_accuracy(figures: Accuracy | None) -> dict[str, float | None]:
    """Return what stands in for accuracy where there is none; equal outputs have no SQNR."""
    if figures is None or figures.top1 is not None:
        return {}
    return {AGREEMENT: figures.agreement, SQNR: figures.sqnr_db}


_MEASURE_OF = {
    Quantity.LATENCY: LATENCY,
    Quantity.LOAD_TIME: LOAD_TIME,
    Quantity.MEMORY: MEMORY,
    Quantity.SIZE: SIZE,
    Quantity.ACCURACY: ACCURACY,
}
_LATENCY_RATIO = "latency-ratio"


def check_to_bmf(checked: Checked) -> str:
    """Return the candidate's figures by case. `latency-ratio` is candidate ÷ baseline."""
    return _to_text(
        {
            case_name(findings[0], checked): measures
            for findings in by_case(checked)
            if (measures := _measures_of_findings(findings))
        }
    )


def was_check_bmf(content: bytes) -> bool:
    """Tell whether this module wrote a file's content for a check."""
    return is_bmf(content, [_LATENCY_RATIO])


def _measure_of(finding: Finding) -> str | None:
    """Return the measure of a finding's candidate; None if it has none."""
    if finding.quantity is Quantity.OUTPUTS:
        return AGREEMENT if finding.unit == SHARE_SAME else SQNR
    return _MEASURE_OF.get(finding.quantity)


def _measures_of_findings(findings: list[Finding]) -> Measures:
    measures: Measures = {}
    for finding in findings:
        name = _measure_of(finding)
        if finding.candidate is None or name is None:
            continue
        measures[name] = {"value": finding.candidate}
        if (
            finding.quantity is Quantity.LATENCY
            and finding.ratio is not None
            and finding.interval is not None
        ):
            low, high = finding.interval
            measures[_LATENCY_RATIO] = {"value": finding.ratio, "lower_value": low, "upper_value": high}
    return measures
