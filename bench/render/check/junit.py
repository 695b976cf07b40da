"""A check as JUnit XML, which most CI systems show: a suite a variant, a test a quantity. Pure."""

from xml.etree import ElementTree

from bench.gate.document import Checked
from bench.gate.findings import Finding, Verdict
from bench.render.check.headline import headline, of_case, variant_name
from bench.render.junit import ROOT, begins_with, to_xml, writable

_NAME = "edgefit check"
_SKIPPED = (Verdict.NEW, Verdict.INCOMPARABLE)


def to_junit(checked: Checked) -> str:
    """Return the check as a JUnit document; what blocks is a failure, what was not compared is skipped."""
    root = ElementTree.Element(ROOT, name=writable(f"{_NAME}: {headline(checked)}"))
    for findings in of_case(checked):
        name = writable(variant_name(findings[0], checked))
        failed = sum(one.blocks(checked.strict) for one in findings)
        skipped = sum(one.verdict in _SKIPPED for one in findings)
        counts = {"tests": len(findings), "failures": failed, "errors": 0, "skipped": skipped}
        attributes = {"name": name, **{key: str(count) for key, count in counts.items()}}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for one in findings:
            _add(suite, name, one, checked.strict)
    return to_xml(root)


def was_junit(content: bytes) -> bool:
    """Tell whether a file's content is an earlier check's."""
    return begins_with(content, _NAME)


def _add(suite: ElementTree.Element, name: str, one: Finding, strict: bool) -> None:
    test = ElementTree.SubElement(suite, "testcase", classname=name, name=one.quantity.value)
    message = writable(f"{one.verdict.value}: {one.sentence}")
    if one.blocks(strict):
        failure = ElementTree.SubElement(test, "failure", message=message, type=one.verdict.value)
        failure.text = message
    elif one.verdict in _SKIPPED:
        ElementTree.SubElement(test, "skipped", message=message)
    else:
        ElementTree.SubElement(test, "system-out").text = message
