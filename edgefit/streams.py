"""The three streams of the process, in whatever state they are: closed, full, or with a reader that left.

It decides nothing of what is printed.
"""

import os
import sys
from contextlib import suppress
from typing import TextIO

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
