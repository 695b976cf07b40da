"""A command in a process of its own, and all that it starts, for tests that end it in some way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from making.command_line import EDGEFIT

LIMIT_S = 120.0
_MARK = "MARK_OF_A_TEST"
_STEP_S = 0.02


class RunningCommand:
    """A command and its workers, which know each other by a variable of their environment."""

    def __init__(self, words: Sequence[str], **options: Any) -> None:
        self._mark = uuid4().hex
        environment = {**os.environ, **options.pop("env", {}), _MARK: self._mark}
        self.process = subprocess.Popen(words, env=environment, **options)

    def processes(self, module: str = "") -> list[psutil.Process]:
        """Those that live, and whose command line names the module."""
        return [one for one in psutil.process_iter() if self._is_one(one, module)]

    def wait_for(self, module: str, count: int = 1) -> list[psutil.Process]:
        """Wait until so many processes of a module have been there, and return those that are."""
        seen: set[int] = set()
        deadline = time.monotonic() + LIMIT_S
        while True:
            found = self.processes(module)
            seen.update(one.pid for one in found)
            if found and len(seen) >= count:
                return found
            assert self.process.poll() is None, "it ended before"
            assert time.monotonic() < deadline, "no such process came"
            time.sleep(_STEP_S)

    def left(self) -> list[psutil.Process]:
        """Wait until none of its processes is left, and return those that stay nevertheless."""
        deadline = time.monotonic() + LIMIT_S
        while (found := self.processes()) and time.monotonic() < deadline:
            time.sleep(_STEP_S)
        return found

    def _is_one(self, process: psutil.Process, module: str) -> bool:
        with suppress(psutil.Error):  # it has ended meanwhile, or is somebody else's
            return (
                process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(_MARK) == self._mark
                and (not module or any(word.startswith(module) for word in process.cmdline()))
            )
        return False


@contextmanager
def running(*words: str | Path, before: Sequence[str] = (), **options: Any) -> Iterator[RunningCommand]:
    """Run edgefit; whatever is left in the end is killed. `before`: a command that runs another."""
    command = RunningCommand([*before, *EDGEFIT, *map(str, words)], **options)
    try:
        yield command
    finally:
        for process in command.processes():
            with suppress(psutil.Error):
                process.kill()
        command.process.wait()


def ignoring(*numbers: signal.Signals) -> tuple[str, ...]:
    """A command that runs another, which ignores these signals from its start."""
    names = " ".join(number.name.removeprefix("SIG") for number in numbers)
    return ("sh", "-c", f'trap "" {names}; exec "$@"', "sh")


def interrupted_at(call: str, number: signal.Signals, times: int) -> tuple[str, ...]:
    """A command that runs edgefit, and gets a signal so often when it calls a function of os."""
    script = (
        f"import os, signal, sys; real = os.{call}\n"
        "def fake(*words, **named):\n"
        f"    for _ in range({times}): signal.raise_signal({int(number)})\n"
        "    return real(*words, **named)\n"
        f"os.{call} = fake\n"
        "from edgefit.__main__ import main; main()"
    )
    return (sys.executable, "-c", script)
