"""How results are laid out on a terminal: entries that hang, and tables of the columns that fit. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from bench.render.columns import ColumnPlace
from bench.render.lines import line

_WIDER_THAN_ANY = 10_000
_INDENT = 2

Shown = TypeVar("Shown")
"""A column of any table."""


@dataclass(frozen=True)
class Hanging:
    """Text whose further lines are indented, so that the reader sees where an entry begins."""

    text: Text
    indent: int = 0
    """The indent of the first line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        further = self.indent + _INDENT
        for index, part in enumerate(self.text.wrap(console, max(1, options.max_width - further))):
            part.rstrip()
            yield Text(" " * (further if index else self.indent)) + part


def hanging(lines: Iterable[str], style: str = "") -> list[RenderableType]:
    """Return sentences as entries. Each keeps the indent that it has."""
    return [Hanging(line(each.lstrip(), style), len(each) - len(each.lstrip())) for each in lines]


def that_fit(
    available: Sequence[Shown],
    place_of: Callable[[Shown], ColumnPlace],
    table_of: Callable[[Sequence[Shown]], Table],
    width: int,
) -> list[Shown]:
    """Return the columns that a terminal has room for. Those that matter most come first in the selection.

    `table_of` has a column of its own before them, so that each takes as much room as beside any others.
    """
    without_any = width_of(table_of([]))
    room = width - without_any
    chosen: list[int] = []
    for place in (ColumnPlace.ALWAYS, ColumnPlace.OFTEN, ColumnPlace.WIDE):
        for index, column in enumerate(available):
            if place_of(column) is place:
                needed = width_of(table_of([column])) - without_any
                if needed <= room:
                    chosen.append(index)
                    room -= needed
    return [available[index] for index in sorted(chosen)]


def width_of(table: Table) -> int:
    """Return how many characters wide a table is if no cell is cut."""
    console = Console(width=_WIDER_THAN_ANY)
    return Measurement.get(console, console.options, table).maximum


def empty_table(show_header: bool = True) -> Table:
    """Return an empty table. Its first column wraps where a name is too long for the terminal."""
    return Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        show_header=show_header,
    )
