"""The three streams of the process, in whatever state they are: closed, full, or with a reader that left.

Whatever is printed passes them: text is made printable here, whoever writes it.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import TextIOBase
from typing import IO, TextIO

from user_files.printable import printable_lines, without_commands

_STREAMS = 3


def open_closed() -> None:
    """Open on the null device what was closed when the process started.

    Otherwise the next file that is opened would get its number, and receive what is printed.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < _STREAMS:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


class HarmlessStream(TextIOBase):
    """A stream of text that makes each piece harmless before it is written. A piece counts as whole lines."""

    def __init__(self, stream: IO[str], harmless: Callable[[str], str]) -> None:
        self.rich_proxied_file = stream
        """What it writes to, by the name that rich asks for."""
        self._harmless = harmless

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of what it writes to."""
        return getattr(self.rich_proxied_file, "encoding", None) or "utf-8"

    def write(self, text: str, /) -> int:
        """Write text; return how many characters were given."""
        self.rich_proxied_file.write(self._harmless(text))
        return len(text)

    def flush(self) -> None:
        """Flush what it writes to."""
        self.rich_proxied_file.flush()

    def isatty(self) -> bool:
        """Return whether it writes to a terminal."""
        return self.rich_proxied_file.isatty()

    def fileno(self) -> int:
        """Return the descriptor of what it writes to."""
        return self.rich_proxied_file.fileno()


def print_harmless() -> None:
    """Have stdout and stderr make text harmless, from now on, whoever prints: also a library's warnings."""
    sys.stdout = HarmlessStream(sys.stdout, _harmless_lines)
    sys.stderr = HarmlessStream(sys.stderr, _harmless_lines)


def _harmless_lines(text: str) -> str:
    return without_commands(printable_lines(text))


def innermost(stream: IO[str]) -> IO[str]:
    """Return what a stream writes to in the end. It takes text as it is: the caller makes it harmless."""
    while (inner := getattr(stream, "rich_proxied_file", None)) is not None:
        stream = inner
    return stream


def write(stream: TextIO, text: str) -> None:
    """Write the last words of the process, if the stream still takes any."""
    try:
        stream.write(text)
        stream.flush()
    except OSError:  # there is nowhere to say it; the exit code tells
        discard(stream)


def discard(*streams: TextIO) -> None:
    """Discard what streams that take no more have not written, and whatever they get from now on."""
    for stream in streams:
        try:
            stream.flush()
        except OSError:
            _to_null(stream)


def _to_null(stream: TextIO) -> None:
    with suppress(OSError, ValueError):  # a stream without a file, as in a notebook
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
        stream.flush()
