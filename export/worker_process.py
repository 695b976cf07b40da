"""The parent's side of an export worker: have one thing done, or hear why not. It knows no format."""

import sys
import time
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from bench.harness.child_process import ChildDiedError, ChildProcess
from bench.measurements import FailureKind
from bench.runtimes.table import NO_USAGE_DATA
from export.messages import ANSWERS, Answer, Entered, Refused, Request, Tell, Told

_COMMAND = (sys.executable, "-m", "export.start")
# By default torch's OpenMP threads spin where they wait. On a machine that something else keeps busy that
# makes everything slower: 37 s instead of 5 s for 320 inferences (measured at a load of 5 on 2 cores).
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", **NO_USAGE_DATA}


def ignore(told: Told) -> None:
    """Hear a stage or a step, and do nothing about it."""


class WorkerProcess:
    """A worker in a process of its own; use it as a context manager.

    `writable`: folders that it may write beside its own.
    """

    def __init__(self, *writable: Path) -> None:
        self._child = ChildProcess((*_COMMAND, *map(str, writable)), _ENVIRONMENT)

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.stop()

    @property
    def is_alive(self) -> bool:
        """Whether the worker can be asked for more."""
        return self._child.is_running

    def ask(self, request: Request, timeout_s: float, receive: Tell = ignore) -> Answer:
        """Have one thing done, waiting without using the CPU; a worker that dies or hangs has refused it.

        `receive` is told each stage and step.
        """
        stage, deadline = "start", time.monotonic() + timeout_s
        try:
            self._child.send(request.model_dump_json())
            while isinstance(answer := self._read(deadline), Told):
                stage = answer.stage if isinstance(answer, Entered) else stage
                receive(answer)
        except ChildDiedError as death:
            return Refused(stage=stage, message=f"the exporter's process {death.message}")
        return answer

    def _read(self, deadline: float) -> Told | Answer:
        line = self._child.read_line(max(0.0, deadline - time.monotonic()))
        try:
            return ANSWERS.validate_json(line)
        except ValidationError as error:
            reason = f"answered garbage: {error.errors()[0]['msg']}"
            raise self._child.end(FailureKind.GARBAGE, reason) from None
