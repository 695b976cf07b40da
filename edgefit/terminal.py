"""Where text goes: results to stdout, everything else to stderr. It imports rich when a command prints."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING

from edgefit.streams import innermost
from user_files.printable import printable, printable_json, shortened, without_commands

if TYPE_CHECKING:
    from rich.console import RenderableType

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


def print_line(sentence: str) -> None:
    """Print a sentence on stderr as one line: with no colour, and not wrapped."""
    sys.stderr.write(without_commands(shortened(printable(sentence))) + "\n")
    sys.stderr.flush()


class Output:
    """What a command prints with. `as_json`: text goes to stderr, and one JSON document to stdout."""

    def __init__(self, as_json: bool) -> None:
        from edgefit.console import stderr_console, stdout_console

        self._as_json = as_json
        self.console = stderr_console() if as_json else stdout_console()

    def show(self, result: "RenderableType") -> None:
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
        from rich.markup import escape

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
