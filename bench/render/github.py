"""A check as GitHub's workflow commands, which become annotations of a run. Pure."""

from bench.gate.blocking import BLOCKED, FINE, blocks
from bench.gate.document import Checked
from bench.gate.findings import Finding, Verdict
from bench.gate.headline import headline
from bench.render.check_text import finding_name, notable_findings
from user_files.printable import printable_lines, shortened, without_commands

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def to_annotations(checked: Checked) -> list[str]:
    """Return a line for the headline and for each notable finding: an error if it blocks, else a warning or
    a notice. GitHub shows ten of a kind for each step, so that the headline comes first.
    """
    return [_result(checked), *(_annotation(finding, checked) for finding in notable_findings(checked))]


def _result(checked: Checked) -> str:
    level = {BLOCKED: "error", FINE: "notice"}.get(checked.exit_code, "warning")
    word, _, sentences = headline(checked).partition(": ")
    title = _escaped(f"edgefit check: {word}", _PROPERTY)
    return f"::{level} title={title}::{_escaped(sentences, _DATA)}"


def _annotation(finding: Finding, checked: Checked) -> str:
    title = _escaped(f"edgefit: {finding_name(finding, checked)}", _PROPERTY)
    return f"::{_level(finding, checked.strict)} title={title}::{_escaped(finding.sentence, _DATA)}"


def _level(finding: Finding, strict: bool) -> str:
    if blocks(finding, strict):
        return "error"
    is_open = finding.verdict in (Verdict.UNDECIDED, Verdict.INCOMPARABLE)
    return "warning" if is_open else "notice"


def _escaped(text: str, escapes: dict[str, str]) -> str:
    """Escape as GitHub's own toolkit does: the per cent sign first, because the other escapes contain it.

    The line stands in a log too, so that it holds nothing that a terminal or another system would follow.
    """
    text = without_commands(printable_lines(shortened(text)))
    for character, escape in escapes.items():
        text = text.replace(character, escape)
    return text
