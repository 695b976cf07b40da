"""JUnit XML, which most CI systems show: how it is written, and reports in it. Pure."""

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from bench.render.sentences import row_names
from bench.render.titles import titles_of
from bench.report.schema import Report, Run

ROOT = "testsuites"
_NAME = "edgefit report"
# What XML 1.0 has no way to write.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_junit(reports: Sequence[Report]) -> str:
    """Return the reports as a JUnit document: a suite a report, a test a row, a failure what failed."""
    root = ElementTree.Element(ROOT, name=_NAME)
    for report, title in zip(reports, titles_of(reports), strict=True):
        rows = [run for run in report.runs if run.is_variant]
        names = row_names(report)
        attributes = {
            "name": writable(f"{report.name}: {title}"),
            "tests": str(len(rows)),
            "failures": str(sum(run.status == "failed" for run in rows)),
            "errors": "0",
            "skipped": str(sum(run.status == "skipped" for run in rows)),
        }
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for run in rows:
            _add(suite, title, names[run.case], run)
    return to_xml(root)


def was_junit(content: bytes) -> bool:
    """Tell whether a file's content is that of earlier reports."""
    return begins_with(content, _NAME)


def begins_with(content: bytes, name: str) -> bool:
    """Tell whether a file's content is a document of this name."""
    return f'<{ROOT} name="{name}'.encode() in content[:200]


def to_xml(root: ElementTree.Element) -> str:
    """Return a document as text."""
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def writable(text: str) -> str:
    """Return a text without what XML cannot write."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def _add(suite: ElementTree.Element, title: str, name: str, run: Run) -> None:
    test = ElementTree.SubElement(suite, "testcase", classname=writable(title), name=writable(name))
    match run.status:
        case "failed":
            kind = "" if run.failure is None else run.failure.kind.value
            message = writable(run.reason or "")
            ElementTree.SubElement(test, "failure", message=message, type=kind).text = message
        case "skipped":
            ElementTree.SubElement(test, "skipped", message=writable(run.reason or ""))
        case "completed":
            told = "" if run.latency_ms is None else f"p50 {run.latency_ms.p50:.4g} ms ({run.provenance})"
            warnings = [f"warning: {warning}" for warning in run.warnings]
            ElementTree.SubElement(test, "system-out").text = writable("\n".join([told, *warnings]))
