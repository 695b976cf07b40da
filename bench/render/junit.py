"""Reports and checks as JUnit XML, which most CI systems show. Pure."""

from collections.abc import Sequence
from xml.etree import ElementTree

from bench.gate.blocking import BLOCKED, NOTHING_COMPARABLE, blocks
from bench.gate.document import Checked
from bench.gate.findings import Finding, Verdict
from bench.gate.headline import headline
from bench.gate.worst_finding import case_name
from bench.measurements import Failed
from bench.render.check_text import by_case, quantity_name, without_same_recalls
from bench.render.text import titles_of
from bench.report.outputs_words import answers_sentence, outputs_sentence
from bench.report.schema import Report, Run
from bench.units import ms
from user_files.printable import printable_lines, without_commands

_ROOT = "testsuites"
_REPORT = "edgefit report"


def report_to_junit(reports: Sequence[Report]) -> str:
    """Return the reports as a JUnit document: a suite for each report, a test for each row."""
    root = ElementTree.Element(_ROOT, name=_REPORT)
    for report, title in zip(reports, titles_of(reports), strict=True):
        rows = [run for run in report.runs if run.is_variant]
        attributes = {
            "name": _writable(f"{report.name}: {title}"),
            "tests": str(len(rows)),
            "failures": str(sum(run.status == "failed" for run in rows)),
            "errors": "0",
            "skipped": str(sum(run.status == "skipped" for run in rows)),
        }
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for run in rows:
            _add_run(suite, title, report, run)
    return _to_xml(root)


def was_report_junit(content: bytes) -> bool:
    """Tell whether this module wrote a file's content for reports."""
    return _begins_with(content, _REPORT)


def _begins_with(content: bytes, name: str) -> bool:
    """Tell whether a file's content is a JUnit document of this name."""
    return f'<{_ROOT} name="{name}'.encode() in content[:200]


def _to_xml(root: ElementTree.Element) -> str:
    """Return a document as text."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _writable(text: str) -> str:
    """Return a text without the characters that XML cannot contain, or that a CI system follows."""
    return without_commands(printable_lines(text))


def _add_run(suite: ElementTree.Element, title: str, report: Report, run: Run) -> None:
    test = ElementTree.SubElement(suite, "testcase", classname=_writable(title), name=_writable(run.case))
    match run.status:
        case "failed":
            kind = run.outcome.kind.value if isinstance(run.outcome, Failed) else ""
            message = _writable(run.reason or "")
            ElementTree.SubElement(test, "failure", message=message, type=kind).text = message
        case "skipped":
            ElementTree.SubElement(test, "skipped", message=_writable(run.reason or ""))
        case "completed":
            summary = run.summary
            latency = "" if summary is None else f"p50 {ms(summary.latency.p50_ns):.4g} ms ({run.provenance})"
            outputs = outputs_sentence(report, run) or answers_sentence(report, run)
            warnings = [f"warning: {warning}" for warning in run.warnings]
            lines = [latency, *([] if outputs is None else [outputs]), *warnings]
            ElementTree.SubElement(test, "system-out").text = _writable("\n".join(lines))


_CHECK = "edgefit check"
_SKIPPED = (Verdict.NEW, Verdict.INCOMPARABLE)


def check_to_junit(checked: Checked) -> str:
    """Return the check as a JUnit document: a test for the result, and one for each finding.

    What blocks is a failure, what was not compared is skipped.
    """
    root = ElementTree.Element(_ROOT, name=_writable(f"{_CHECK}: {headline(checked)}"))
    _add_result(root, checked)
    for findings in map(without_same_recalls, by_case(checked)):
        name = _writable(case_name(findings[0], checked))
        failed = sum(blocks(finding, checked.strict) for finding in findings)
        skipped = sum(finding.verdict in _SKIPPED for finding in findings)
        counts = {"tests": len(findings), "failures": failed, "errors": 0, "skipped": skipped}
        attributes = {"name": name, **{key: str(count) for key, count in counts.items()}}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for finding in findings:
            _add_finding(suite, name, finding, checked.strict)
    return _to_xml(root)


def _add_result(root: ElementTree.Element, checked: Checked) -> None:
    """Add the headline as a test of its own: most CI systems show the messages of tests only."""
    message, code = _writable(headline(checked)), checked.exit_code
    counts = {"failures": int(code == BLOCKED), "errors": 0, "skipped": int(code == NOTHING_COMPARABLE)}
    attributes = {"name": _CHECK, "tests": "1", **{key: str(count) for key, count in counts.items()}}
    suite = ElementTree.SubElement(root, "testsuite", attributes)
    test = ElementTree.SubElement(suite, "testcase", classname=_CHECK, name="result")
    if code == BLOCKED:
        ElementTree.SubElement(test, "failure", message=message, type="BLOCKED").text = message
    elif code == NOTHING_COMPARABLE:
        ElementTree.SubElement(test, "skipped", message=message)
    else:
        ElementTree.SubElement(test, "system-out").text = message


def was_check_junit(content: bytes) -> bool:
    """Tell whether this module wrote a file's content for a check."""
    return _begins_with(content, _CHECK)


def _add_finding(suite: ElementTree.Element, name: str, finding: Finding, strict: bool) -> None:
    test = ElementTree.SubElement(suite, "testcase", classname=name, name=_writable(quantity_name(finding)))
    message = _writable(f"{finding.verdict.value}: {finding.sentence}")
    if blocks(finding, strict):
        failure = ElementTree.SubElement(test, "failure", message=message, type=finding.verdict.value)
        failure.text = message
    elif finding.verdict in _SKIPPED:
        ElementTree.SubElement(test, "skipped", message=message)
    else:
        ElementTree.SubElement(test, "system-out").text = message
