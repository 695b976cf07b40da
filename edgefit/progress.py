"""Shows the progress of a long step on stderr: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.cells import cell_len
from rich.console import RenderableType
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from edgefit.console import stderr_console
from edgefit.terminal import is_quiet, print_line
from user_files.printable import printable, shortened

_SECONDS_BETWEEN_PLAIN_LINES = 10.0
# Rarely, because drawing disturbs what another process measures.
_SECONDS_BETWEEN_DRAWINGS = 0.5
_BAR_WIDTH, _LEAST_BAR = 24, 8
_TIME_WIDTH = 7


class Drawing(Progress):
    """Draws each task in a line; one that is too long for it has its name in a line of its own."""

    @classmethod
    def get_default_columns(cls) -> tuple[ProgressColumn, ...]:
        """Return what stands in a line: the task's name first, and the note last."""
        return (
            TextColumn("{task.description}"),
            BarColumn(bar_width=_BAR_WIDTH),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True),
            TextColumn("[dim]{task.fields[note]}"),
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the tasks, whose text is never cut."""
        tasks = [task for task in self.tasks if task.visible]
        if all(_line_width(task) <= self.console.width for task in tasks):
            yield self.make_tasks_table(tasks)
            return
        for task in tasks:
            yield Text.from_markup(task.description)
            yield self._below_its_name(task)

    def _below_its_name(self, task: Task) -> Table:
        _, *columns = self.get_default_columns()
        fixed = [Column(no_wrap=True) for _ in columns[1:]]
        table = Table.grid(*fixed, Column(overflow="fold"), padding=(0, 1))
        table.add_row(*(column(task) for column in columns))
        return table


def _line_width(task: Task) -> int:
    """Return how many characters a task needs in one line, with the shortest bar."""
    words = (task.description, str(task.fields["note"]))
    total = len(str(int(task.total or 0)))
    spaces = 4
    return sum(cell_len(Text.from_markup(each).plain) for each in words) + (
        _LEAST_BAR + 2 * total + 1 + _TIME_WIDTH + spaces
    )


class Bar:
    """Draws one task at a time as a bar on a terminal. `board`: a name to print before every line."""

    def __init__(self, drawing: Drawing, board: str = "") -> None:
        self._drawing = drawing
        self._prefix = f"{board}: " if board else ""
        self._task = drawing.add_task("", total=None, visible=False, note="")
        self._drawn = 0.0

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""
        self._drawing.remove_task(self._task)
        self._task = self._drawing.add_task(escape(printable(self._prefix + task)), total=total, note="")
        self._drawing.refresh()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""
        self._drawing.update(self._task, advance=steps, note=escape(printable(note)))
        self._draw_if_due()

    def _draw_if_due(self) -> None:
        now = time.monotonic()
        if now - self._drawn >= _SECONDS_BETWEEN_DRAWINGS or self._drawing.finished:
            self._drawn = now
            self._drawing.refresh()

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        shown = shortened(printable(self._prefix + sentence))
        self._drawing.console.print(shown, markup=False, emoji=False)

    def say_always(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        self.say(sentence)


class PlainLines:
    """Prints plain lines where stderr is not a terminal: at a task's end, and every ten seconds."""

    def __init__(self, board: str = "") -> None:
        self._prefix = f"{board}: " if board else ""
        self._task, self._total, self._done = "", 0, 0
        self._printed = time.monotonic()

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""
        self._task, self._total, self._done = task, total, 0
        self._printed = time.monotonic()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""
        self._done += steps
        now = time.monotonic()
        if self._done >= self._total or now - self._printed > _SECONDS_BETWEEN_PLAIN_LINES:
            self._printed = now
            self.say(f"{self._task}: {self._done}/{self._total} {note}".rstrip())

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        print_line(self._prefix + sentence)

    def say_always(self, sentence: str) -> None:
        """Print a sentence."""
        self.say(sentence)


class Silence:
    """Prints nothing but why a command waits, for --quiet."""

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""

    def say(self, sentence: str) -> None:
        """Print nothing."""

    def say_always(self, sentence: str) -> None:
        """Print a sentence."""
        print_line(sentence)


Display = Bar | PlainLines | Silence


@contextmanager
def progress() -> Iterator[Display]:
    """Yield the receiver of a long step's progress: a bar on a terminal, plain lines elsewhere."""
    with _progress([""]) as lines:
        yield lines[""]


@contextmanager
def progress_of(names: Sequence[str]) -> Iterator[Mapping[str, Display]]:
    """Yield one receiver for each of several boards, by the board's name."""
    with _progress(names) as lines:
        yield lines


@contextmanager
def _progress(names: Sequence[str]) -> Iterator[Mapping[str, Display]]:
    if is_quiet():
        yield {name: Silence() for name in names}
        return
    console = stderr_console()
    if not console.is_terminal:
        yield {name: PlainLines(name) for name in names}
        return
    # It draws only on a call: a thread that redraws would disturb what is being timed.
    with Drawing(console=console, transient=True, auto_refresh=False) as drawing:
        yield {name: Bar(drawing, name) for name in names}
