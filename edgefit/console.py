"""What a command prints with, made of rich: text that is harmless, as wide as the terminal."""

import os
from collections.abc import Iterable
from io import StringIO
from typing import IO, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from edgefit.signs import typed
from edgefit.streams import HarmlessStream, innermost
from edgefit.terminal import is_quiet
from user_files.printable import printable_lines, without_commands

# A pipe or a CI log has no width; the widest table fits into this one.
WIDTH_WITHOUT_TERMINAL = 140


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
    console = _SafeConsole(stderr=stderr, highlight=False, soft_wrap=False, quiet=is_quiet())
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
