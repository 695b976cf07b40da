"""Shows the progress of a long step on stderr: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from edgefit.terminal import is_quiet, print_line, stderr_console

_SECONDS_BETWEEN_PLAIN_LINES = 10.0
# Rarely, because drawing disturbs what another process measures.
_SECONDS_BETWEEN_DRAWINGS = 0.5


class Bar:
    """Draws one task at a time as a bar on a terminal. `board`: a name to print before every line."""

    def __init__(self, drawing: Progress, board: str = "") -> None:
        self._drawing = drawing
        self._prefix = f"{board}: " if board else ""
        self._task = drawing.add_task("", total=None, visible=False, note="")
        self._drawn = 0.0

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""
        self._drawing.remove_task(self._task)
        self._task = self._drawing.add_task(escape(self._prefix + task), total=total, note="")
        self._drawing.refresh()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""
        self._drawing.update(self._task, advance=steps, note=escape(note))
        self._draw_if_due()

    def _draw_if_due(self) -> None:
        now = time.monotonic()
        if now - self._drawn >= _SECONDS_BETWEEN_DRAWINGS or self._drawing.finished:
            self._drawn = now
            self._drawing.refresh()

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        self._drawing.console.print(escape(self._prefix + sentence))


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


class Silence:
    """Prints nothing, for --quiet."""

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""

    def say(self, sentence: str) -> None:
        """Print nothing."""


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
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[note]}"),
    )
    # It draws only on a call: a thread that redraws would disturb what is being timed.
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as drawing:
        yield {name: Bar(drawing, name) for name in names}
