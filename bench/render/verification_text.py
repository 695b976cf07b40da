"""Verified reports for a terminal of any width. Pure: it prints nothing."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bench.render.lines import line
from bench.verify.document import VerifiedPart, VerifiedReport

_STYLES = {"holds": "green", "not checked": "dim"}


def result_line(report: VerifiedReport) -> RenderableType:
    """Return the result of a report in a line."""
    return line(report.words, "bold green" if report.holds else "bold red")


def verified_parts(report: VerifiedReport) -> RenderableType:
    """Return what was checked and holds, and what cannot be checked. What is wrong are lines of their own."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for part in report.parts:
        for result, sentence in _lines(part):
            table.add_row(Text(result, _STYLES[result]), Text(part.part), line(sentence))
    return table


def _lines(part: VerifiedPart) -> Iterator[tuple[str, str]]:
    """Yield the result and the sentence of each line of a part."""
    if part.checked is not None and not part.wrong:
        yield "holds", part.checked
    for sentence in part.not_checked:
        yield "not checked", sentence
