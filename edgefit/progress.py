"""Draws the progress of a long step on stderr: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from edgefit.terminal import is_quiet, stderr_console

_SECONDS_BETWEEN_PLAIN_LINES = 10.0
# Seldom, for whatever this process does disturbs what another one measures.
_SECONDS_BETWEEN_DRAWINGS = 0.5


class Bar:
    """Draws one task at a time as a bar on a terminal. `whose`: the board's name before all that it tells."""

    def __init__(self, drawing: Progress, whose: str = "") -> None:
        self._drawing = drawing
        self._whose = f"{whose}: " if whose else ""
        self._task = drawing.add_task("", total=None, visible=False, note="")
        self._drawn = 0.0

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""
        self._drawing.remove_task(self._task)
        self._task = self._drawing.add_task(escape(self._whose + task), total=total, note="")
        self._drawing.refresh()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""
        self._drawing.update(self._task, advance=steps, note=escape(note))
        self._draw_now_and_then()

    def _draw_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._drawn >= _SECONDS_BETWEEN_DRAWINGS or self._drawing.finished:
            self._drawn = now
            self._drawing.refresh()

    def say(self, sentence: str) -> None:
        """Print a sentence above the bar."""
        self._drawing.console.print(escape(self._whose + sentence))


class PlainLines:
    """Tells the same as plain lines, where stderr is no terminal: a task's end, and now and then."""

    def __init__(self, whose: str = "") -> None:
        self._whose = f"{whose}: " if whose else ""
        self._task, self._total, self._done = "", 0, 0
        self._told = time.monotonic()

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""
        self._task, self._total, self._done = task, total, 0
        self._told = time.monotonic()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""
        self._done += steps
        now = time.monotonic()
        if self._done >= self._total or now - self._told > _SECONDS_BETWEEN_PLAIN_LINES:
            self._told = now
            self.say(f"{self._task}: {self._done}/{self._total} {note}".rstrip())

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        print(self._whose + sentence, file=sys.stderr, flush=True)  # noqa: T201 - plain on purpose


class Silence:
    """Tells nothing, as --quiet asks."""

    def begin(self, task: str, total: int) -> None:
        """Start a task of `total` steps."""

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Finish some steps."""

    def say(self, sentence: str) -> None:
        """Say nothing of it."""


Lines = Bar | PlainLines | Silence


@contextmanager
def progress() -> Iterator[Lines]:
    """Yield what long steps report to: a bar on a terminal, plain lines elsewhere."""
    with _progress([""]) as lines:
        yield lines[""]


@contextmanager
def progress_of(names: Sequence[str]) -> Iterator[Mapping[str, Lines]]:
    """Yield the same for each of several boards by its name, one line below the other."""
    with _progress(names) as lines:
        yield lines


@contextmanager
def _progress(names: Sequence[str]) -> Iterator[Mapping[str, Lines]]:
    if is_quiet():
        yield {name: Silence() for name in names}
        return
    console = stderr_console()
    if not console.is_terminal:
        yield {name: PlainLines(name) for name in names}
        return
    look = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[note]}"),
    )
    # Drawn only when told something: a thread that redraws would disturb what is being timed.
    with Progress(*look, console=console, transient=True, auto_refresh=False) as drawing:
        yield {name: Bar(drawing, name) for name in names}
