"""Lets a few statements finish before Ctrl-C or another ending signal takes effect."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals by which a person, a system or a terminal ends a command."""


def heeded_signals() -> list[signal.Signals]:
    """Return the ending signals that this process heeds.

    Whoever started it may have had some ignored: `nohup` SIGHUP, a script SIGINT for what it starts in the
    background. These stay ignored, and so does a handler that is not Python's.
    """
    return [number for number in ENDING if signal.getsignal(number) not in (signal.SIG_IGN, None)]


@contextmanager
def deferred_signals() -> Iterator[None]:
    """Delay ending signals until the end of the block; then they have their usual effect."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    received: list[tuple[int, FrameType | None]] = []
    before = {number: signal.getsignal(number) for number in heeded_signals()}
    try:
        for number in before:
            signal.signal(number, lambda *delivery: received.append(delivery))
        yield
    finally:
        try:
            _restore(before)
        finally:  # a signal may have cut that short
            _restore(before)
        for signal_number, frame in received:
            _handle(before[signal.Signals(signal_number)], signal_number, frame)


def _restore(handlers: Mapping[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _handle(handler: object, number: int, frame: FrameType | None) -> None:
    if callable(handler):
        handler(number, frame)
    elif handler == signal.SIG_DFL:
        signal.raise_signal(number)
