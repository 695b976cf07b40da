"""The parent's side of an export worker: sends a request and returns the answer. It knows no format."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from bench.harness.child_process import ChildDiedError, ChildProcess, wait_for_output
from bench.harness.process_memory import highest_bytes_of
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
_START = "start"


def ignore(message: ProgressMessage) -> None:
    """Receive a stage or a step, and do nothing."""


class ExportWorker:
    """A worker in a process of its own; use it as a context manager.

    It may write its own folder and the folders in `writable`.
    """

    def __init__(self, *writable: Path) -> None:
        self._child = ChildProcess((*_COMMAND, *map(str, writable)), _ENVIRONMENT, _LONGEST_ANSWER)
        self._stage, self._left_s = _START, 0.0
        self._death: ChildDiedError | None = None

    def __enter__(self) -> "ExportWorker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process."""
        self._child.stop()

    @property
    def is_alive(self) -> bool:
        """Whether the worker can take another request."""
        return self._child.is_running

    @property
    def highest_bytes(self) -> int | None:
        """The most memory that the process has had so far; None where the kernel does not say it."""
        return highest_bytes_of(self._child.pid) if self.is_alive else None

    def ask(self, request: Request, timeout_s: float, report: Report = ignore) -> Answer:
        """Send a request and wait for the answer without using the CPU.

        `report` receives each stage and step. A worker that dies or hangs counts as one that refused.
        """
        self.begin(request, timeout_s)
        while isinstance(message := self.next_message(), ProgressMessage):
            report(message)
        return message

    def begin(self, request: Request, timeout_s: float) -> None:
        """Send a request, whose messages `next_message` returns until there is the answer."""
        self._stage, self._left_s = _START, timeout_s
        try:
            self._child.send(request.model_dump_json())
        except ChildDiedError as death:
            self._death = death

    def next_message(self) -> ProgressMessage | Answer:
        """Wait for a stage, a step or the answer; see `ask`."""
        try:
            message = self._read()
        except ChildDiedError as death:
            return Refused(stage=self._stage, message=f"the exporter's process {death.message}")
        self._left_s -= self._child.waited_s
        if isinstance(message, Entered):
            self._stage = message.stage
        return message

    def _read(self) -> ProgressMessage | Answer:
        if self._death is not None:
            raise self._death
        line = self._child.read_line(max(0.0, self._left_s))
        try:
            return ANSWERS.validate_json(line)
        except ValidationError as error:
            reason = f"sent an answer that is not valid: {error.errors()[0]['msg']}"
            raise self._child.end(FailureKind.GARBAGE, reason) from None

    @staticmethod
    def wait_for_one(workers: Sequence["ExportWorker"]) -> list["ExportWorker"]:
        """Wait until a message of some of these workers is there, or one has ended or used its time; return
        all of which `next_message` has something to say."""
        while not (ready := [worker for worker in workers if worker._has_news]):
            most_s = min(worker._left_s for worker in workers)
            waited_s = wait_for_output([worker._child for worker in workers], most_s)
            for worker in workers:
                worker._left_s -= waited_s
        return ready

    @property
    def _has_news(self) -> bool:
        return self._death is not None or self._left_s <= 0 or self._child.needs_attention
