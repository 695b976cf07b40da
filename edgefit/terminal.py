"""Where text goes: results to stdout, everything else to stderr. It knows no command."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from edgefit.signs import typed
from edgefit.streams import HarmlessStream, innermost
from user_files.printable import printable, printable_json, printable_lines, shortened, without_commands

# A pipe or a CI log has no width; the widest table fits into this one.
WIDTH_WITHOUT_TERMINAL = 140
# Whether only errors are printed. It holds for the whole process, because a command may run others.
_is_quiet = False


def set_quiet(is_requested: bool) -> None:
    """Print only errors from now on, if requested; the option --quiet calls it."""
    global _is_quiet
    _is_quiet = _is_quiet or is_requested


@contextmanager
def preserve_quiet() -> Iterator[None]:
    """Undo, at the end, what a command within another one sets."""
    global _is_quiet
    before = _is_quiet
    try:
        yield
    finally:
        _is_quiet = before


def is_quiet() -> bool:
    """Return whether only errors are printed."""
    return _is_quiet


@contextmanager
def result_on_stderr(is_requested: bool) -> Iterator[None]:
    """Send stdout to stderr, if requested: for a command that runs others and prints a result of its own."""
    if not is_requested:
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


class _SafeConsole(Console):
    """A console that prints no escape sequence but its own, and no line that a CI system takes for a command.

    It raises BrokenPipeError once its reader has closed the pipe.
    """

    @property
    def file(self) -> IO[str]:
        """What it prints to. Only here a line is whole, after it was wrapped."""
        return HarmlessStream(innermost(super().file), without_commands)  # type: ignore[return-value]

    @file.setter
    def file(self, new: IO[str]) -> None:
        self._file = new

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Yield the segments of a renderable. Whatever text is shown comes through here."""
        if isinstance(renderable, Text) and (shown := printable_lines(renderable.plain)) != renderable.plain:
            renderable = renderable.blank_copy(shown)  # its width has to be known before it is laid out
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable_lines(segment.text))

    def render_str(self, text: str, **how: Any) -> Text:
        """Return the text of a cell or a sentence, whose width is known only in the signs of the encoding."""
        return super().render_str(typed(printable_lines(text), self.encoding), **how)

    def on_broken_pipe(self) -> None:
        """Pass the error on; rich itself would end the process with exit code 1."""
        raise BrokenPipeError


def _console(stderr: bool) -> Console:
    console = _SafeConsole(stderr=stderr, highlight=False, soft_wrap=False, quiet=_is_quiet)
    if not console.is_terminal:
        console.width = _width_without_terminal()
    return console


def as_text(result: RenderableType) -> str:
    """Return what a file would get of a result: text without colours, and without a line end."""
    text = StringIO()
    _SafeConsole(
        file=text,
        width=WIDTH_WITHOUT_TERMINAL,
        highlight=False,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
    ).print(result)
    return text.getvalue().rstrip("\n")


def _width_without_terminal() -> int:
    """Return COLUMNS where it is a positive number. A user or a CI system sets it for a pipe."""
    columns = os.environ.get("COLUMNS", "")
    is_positive = columns.isascii() and columns.isdigit() and int(columns) > 0
    return int(columns) if is_positive else WIDTH_WITHOUT_TERMINAL


def print_line(sentence: str) -> None:
    """Print a sentence on stderr as one line: with no colour, and not wrapped."""
    sys.stderr.write(without_commands(shortened(printable(sentence))) + "\n")
    sys.stderr.flush()


class Output:
    """What a command prints with. `as_json`: text goes to stderr, and one JSON document to stdout."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self.console = stderr_console() if as_json else stdout_console()

    def show(self, result: RenderableType) -> None:
        """Print a result."""
        self.console.print(result)

    def say(self, sentence: str) -> None:
        """Print a sentence as one line."""
        shown = shortened(printable(sentence))
        self.console.print(shown, markup=False, emoji=False, soft_wrap=True)

    def command(self, line: str) -> None:
        """Print a line that a CI system takes for a command. What it says is escaped already."""
        if not self.console.quiet:
            print(line, file=innermost(self.console.file), flush=True)

    def next_step(self, command: str) -> None:
        """Print what to do next."""
        self.console.print(f"[dim]next:[/dim] {escape(printable(command))}", soft_wrap=True)

    def document(self, text: str) -> None:
        """Print the JSON document, if --json is given."""
        if self._as_json:
            encoding = sys.stdout.encoding
            is_unicode = encoding is None or encoding.lower().startswith("utf")
            sys.stdout.write(printable_json(text.rstrip("\n"), is_unicode) + "\n")

    def flush(self) -> None:
        """Wait until the results are out; raises the error of a reader that is gone, or of a full disk."""
        sys.stdout.flush()
