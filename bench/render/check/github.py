"""A check as GitHub's workflow commands, which become annotations of a run. Pure."""

from bench.gate.document import Checked
from bench.gate.findings import Finding, Verdict
from bench.render.check.headline import called, worth_saying

_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def to_annotations(checked: Checked) -> list[str]:
    """Return a line for each finding worth one: an error if it blocks, else a warning or a notice."""
    return [
        f"::{_level(one, checked.strict)} title={_escaped(f'edgefit: {called(one, checked)}', _PROPERTY)}"
        f"::{_escaped(one.sentence, _DATA)}"
        for one in worth_saying(checked)
    ]


def _level(one: Finding, strict: bool) -> str:
    if one.blocks(strict):
        return "error"
    return "warning" if one.verdict in (Verdict.UNDECIDED, Verdict.INCOMPARABLE) else "notice"


def _escaped(text: str, signs: dict[str, str]) -> str:
    """Escape as GitHub's own toolkit does: the per cent sign first, for the others bring more of it."""
    for sign, written in signs.items():
        text = text.replace(sign, written)
    return text
