"""A check as JUnit XML, which most CI systems show: a suite a variant, a test a quantity. Pure."""

import re
from xml.etree import ElementTree

from bench.decide.checked import Checked
from bench.decide.findings import Finding, Verdict
from bench.render.check.headline import headline, of_case, variant_name

_ROOT = "testsuites"
_NAME = "edgefit check"
# What XML 1.0 has no way to write.
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED = (Verdict.NEW, Verdict.INCOMPARABLE)


def to_junit(checked: Checked) -> str:
    """Return the check as a JUnit document; what blocks is a failure, what was not compared is skipped."""
    root = ElementTree.Element(_ROOT, name=_text(f"{_NAME}: {headline(checked)}"))
    for findings in of_case(checked):
        name = _text(variant_name(findings[0], checked))
        failed = sum(one.blocks(checked.strict) for one in findings)
        skipped = sum(one.verdict in _SKIPPED for one in findings)
        counts = {"tests": len(findings), "failures": failed, "errors": 0, "skipped": skipped}
        attributes = {"name": name, **{key: str(count) for key, count in counts.items()}}
        suite = ElementTree.SubElement(root, "testsuite", attributes)
        for one in findings:
            _add(suite, name, one, checked.strict)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def was_junit(content: bytes) -> bool:
    """Tell whether a file's content is an earlier check's."""
    return f'<{_ROOT} name="{_NAME}'.encode() in content[:200]


def _add(suite: ElementTree.Element, name: str, one: Finding, strict: bool) -> None:
    test = ElementTree.SubElement(suite, "testcase", classname=name, name=one.quantity.value)
    message = _text(f"{one.verdict.value}: {one.sentence}")
    if one.blocks(strict):
        failure = ElementTree.SubElement(test, "failure", message=message, type=one.verdict.value)
        failure.text = message
    elif one.verdict in _SKIPPED:
        ElementTree.SubElement(test, "skipped", message=message)
    else:
        ElementTree.SubElement(test, "system-out").text = message


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
