"""The parent's side of an export worker: sends a request and returns the answer. It knows no format."""

from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from bench.harness.child_process import ChildDiedError, ChildProcess
from bench.measurements import FailureKind
from bench.runtimes.installed import NO_USAGE_DATA
from bench.system.python_process import python_command
from export.messages import ANSWERS, Answer, Entered, ProgressMessage, Refused, Report, Request

_COMMAND = python_command("export.start")
# By default torch's OpenMP threads spin while they wait. On a machine with background load that makes
# everything slower: 37 s instead of 5 s for 320 inferences (measured at a load of 5 on 2 cores).
_ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", **NO_USAGE_DATA}

# The source's outputs for all samples are one answer.
_LONGEST_ANSWER = 1 << 30


def ignore(message: ProgressMessage) -> None:
    """Receive a stage or a step, and do nothing."""


class ExportWorker:
    """A worker in a process of its own; use it as a context manager.

    It may write its own folder and the folders in `writable`.
    """

    def __init__(self, *writable: Path) -> None:
        self._child = ChildProcess((*_COMMAND, *map(str, writable)), _ENVIRONMENT, _LONGEST_ANSWER)

    def __enter__(self) -> "ExportWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.stop()

    @property
    def is_alive(self) -> bool:
        """Whether the worker can take another request."""
        return self._child.is_running

    def ask(self, request: Request, timeout_s: float, report: Report = ignore) -> Answer:
        """Send a request and wait for the answer without using the CPU.

        `report` receives each stage and step. A worker that dies or hangs counts as one that refused.
        """
        stage, left_s = "start", timeout_s
        try:
            self._child.send(request.model_dump_json())
            while isinstance(message := self._read(left_s), ProgressMessage):
                left_s -= self._child.waited_s
                stage = message.stage if isinstance(message, Entered) else stage
                report(message)
        except ChildDiedError as death:
            return Refused(stage=stage, message=f"the exporter's process {death.message}")
        return message

    def _read(self, timeout_s: float) -> ProgressMessage | Answer:
        line = self._child.read_line(max(0.0, timeout_s))
        try:
            return ANSWERS.validate_json(line)
        except ValidationError as error:
            reason = f"sent an answer that is not valid: {error.errors()[0]['msg']}"
            raise self._child.end(FailureKind.GARBAGE, reason) from None
