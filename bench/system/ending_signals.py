"""Ends a command by Ctrl-C, `kill` or a hang-up of its terminal, so that it can remove what is unfinished.

What is removed, and what is said of it, is the business of whoever is interrupted.
"""

import signal
from time import monotonic
from types import FrameType

from bench.filesystem.deferred_signals import heeded_signals

# A second Ctrl-C, or the SIGTERM after a SIGHUP, must not interrupt the removal. One that comes later may:
# what is to end the command hangs then.
_TIME_TO_END_S = 10.0


def end_on_signals() -> None:
    """Have SIGINT raise KeyboardInterrupt, and the other ending signals SystemExit with their exit code.

    Those that were ignored when the process started stay ignored, also by what it starts.
    """
    ends_until: float | None = None

    def end(number: int, _frame: FrameType | None) -> None:
        nonlocal ends_until
        if ends_until is not None and monotonic() < ends_until:
            return
        ends_until = monotonic() + _TIME_TO_END_S
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    for number in heeded_signals():
        signal.signal(number, end)
