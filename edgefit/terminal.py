"""Where text goes: results to stdout, everything else to stderr. It knows the terminal, and no command."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from rich.console import Console, RenderableType
from rich.markup import escape

# A pipe or a CI log has no width of its own; the widest table fits into this.
_WIDTH_WITHOUT_TERMINAL = 140
# Whether people are told nothing but errors. Of the whole process, for a command may run others.
_is_quiet = False


def set_quiet(wanted: bool) -> None:
    """Tell people nothing from now on but errors, if wanted; --quiet calls it."""
    global _is_quiet
    _is_quiet = _is_quiet or wanted


@contextmanager
def preserve_quiet() -> Iterator[None]:
    """Keep what a command within another one asks for from those after it."""
    global _is_quiet
    before = _is_quiet
    try:
        yield
    finally:
        _is_quiet = before


def is_quiet() -> bool:
    """Tell whether people are told nothing but errors."""
    return _is_quiet


@contextmanager
def result_on_stderr(wanted: bool) -> Iterator[None]:
    """Send what would go to stdout to stderr, where a command runs others and has a result of its own."""
    if not wanted:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def stdout_console() -> Console:
    """Return a console on stdout."""
    return _console(stderr=False)


def stderr_console() -> Console:
    """Return a console on stderr."""
    return _console(stderr=True)


class _PipeConsole(Console):
    """A console that leaves it to the edge of the process what a reader gone away means."""

    def on_broken_pipe(self) -> None:
        """Pass the error on; rich itself would end the process with the code of a crash."""
        raise BrokenPipeError


def _console(stderr: bool) -> Console:
    console = _PipeConsole(stderr=stderr, highlight=False, soft_wrap=False, quiet=_is_quiet)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    return console


class Output:
    """What a command prints with: `as_json` sends what people read to stderr and one document to stdout."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self.people = stderr_console() if as_json else stdout_console()

    def show(self, what: RenderableType) -> None:
        """Show people a result."""
        self.people.print(what)

    def say(self, sentence: str) -> None:
        """Show people a sentence as it is."""
        self.people.print(escape(sentence), soft_wrap=True)

    def next_step(self, command: str) -> None:
        """Say what to do next."""
        self.people.print(f"[dim]next:[/dim] {escape(command)}", soft_wrap=True)

    def document(self, text: str) -> None:
        """Print the one JSON document, if it was asked for."""
        if self._as_json:
            sys.stdout.write(text.rstrip("\n") + "\n")
