"""The parent's side of a worker: ask it, and say what went wrong. It knows no case and no plan."""

import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from bench.child_process import ChildProcess
from bench.harness import messages
from bench.machine.memory_group import JOIN
from bench.measurements import FailureKind

# oneDNN, which OpenVINO holds, writes /tmp/perf-PID.map for a profiler on Arm, and leaves it there.
_ENVIRONMENT = {"ONEDNN_JIT_PROFILE": "0"}
WORKER_COMMAND = (sys.executable, "-m", "bench.harness.worker")


class RuntimeMissingError(Exception):
    """The worker says that this machine lacks what the case needs."""


class WorkerProcess:
    """A worker that must be stopped in the end.

    `command` is what to run: see ChildProcess; `joins`: a file to which it writes its process id before it
    begins.
    """

    def __init__(self, command: Sequence[str] = WORKER_COMMAND, joins: Path | None = None) -> None:
        before = () if joins is None else (*JOIN, str(joins))
        self._child = ChildProcess((*before, *command), environment=_ENVIRONMENT)

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._child.pid

    @property
    def has_answered(self) -> bool:
        """Whether an answer can be read without waiting."""
        return self._child.has_spoken

    def stop(self) -> None:
        """End the worker, whatever state it is in."""
        self._child.stop()

    def ask(self, request: messages.Request, timeout_s: float) -> messages.Answer:
        """Send one request and wait for its answer; raises what `tell` and `hear` raise."""
        self.tell(request)
        return self.hear(timeout_s)

    def tell(self, request: messages.Request) -> None:
        """Send one request; raises ChildDiedError if nobody is there to take it."""
        self._child.send(request.model_dump_json())

    def hear(self, timeout_s: float) -> messages.Answer:
        """Wait for the answer to the request that was sent.

        Raises ChildDiedError if the worker dies, raises, answers garbage, or is silent for `timeout_s`;
        RuntimeMissingError if it says that a runtime or device is missing here.
        """
        line = self._child.read_line(timeout_s)
        try:
            answer = messages.ANSWERS.validate_json(line)
        except ValidationError as error:
            raise self._child.end(
                FailureKind.GARBAGE, f"answered garbage: {error.errors()[0]['msg']}"
            ) from None
        if isinstance(answer, messages.Raised):
            if answer.missing:
                raise RuntimeMissingError(answer.message.partition(": ")[2])
            raise self._child.end(answer.failure, answer.message)
        return answer
