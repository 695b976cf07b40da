"""The parent's side of a worker: ask it, and say what went wrong. It knows no case and no plan."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from bench.filesystem.cache_folder import cache_folder
from bench.harness import messages
from bench.harness.child_process import ChildDiedError, ChildProcess
from bench.measurements import FailureKind
from bench.runtimes.providers import place_of
from bench.runtimes.table import NO_USAGE_DATA, is_installed, row_of
from bench.system.accelerators import device_files
from bench.system.memory_limit import JOIN
from bench.system.sandbox import Confinement

# oneDNN, which OpenVINO holds, writes /tmp/perf-PID.map for a profiler on Arm, and leaves it there.
_ENVIRONMENT = {"ONEDNN_JIT_PROFILE": "0", **NO_USAGE_DATA}
WORKER_COMMAND = (sys.executable, "-m", "bench.harness.start")
_IMPORT = "import importlib, sys, bench.harness.worker; importlib.import_module(sys.argv[1])"
_IMPORT_COMMAND = (sys.executable, "-c", _IMPORT)
_SECONDS_TO_IMPORT = _SECONDS_TO_GREET = 120.0
_CPU, _TENSORRT = "cpu", "tensorrt"


class RuntimeMissingError(Exception):
    """The worker says that this machine lacks what the case needs."""


class WorkerProcess:
    """A worker that must be stopped in the end.

    `command` is what to run: see ChildProcess; `joins`: a file to which it writes its process id before it
    begins; `provider`: where it will run its artifact, which decides what it may write.
    """

    def __init__(
        self, command: Sequence[str] = WORKER_COMMAND, joins: Path | None = None, provider: str = _CPU
    ) -> None:
        before = () if joins is None else (*JOIN, str(joins))
        writable = map(str, _writable(provider))
        self._child = ChildProcess((*before, *command, *writable), environment=_ENVIRONMENT)

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
        """Send one request and wait for its answer; raises what `tell` and `receive` raise."""
        self.tell(request)
        return self.receive(timeout_s)

    def tell(self, request: messages.Request) -> None:
        """Send one request; raises ChildDiedError if nobody is there to take it."""
        self._child.send(request.model_dump_json())

    def receive(self, timeout_s: float) -> messages.Answer:
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


def _writable(provider: str) -> list[Path]:
    """Return what a worker writes beside its own folder: drivers' device files, and TensorRT its engines."""
    place = place_of(provider)
    devices = [] if place == _CPU else device_files()
    return [*devices, cache_folder(_TENSORRT)] if place == _TENSORRT else devices


def compile_runtimes(formats: Iterable[str]) -> None:
    """Import each format's runtime, and no artifact, in a process that may write Python's bytecode.

    Workers may not, and would compile it anew each time where whoever installed it left that out. What goes
    wrong here goes wrong in a worker too, and is told there.
    """
    for module in sorted({row.module for row in map(row_of, formats) if is_installed(row)}):
        with ChildProcess((*_IMPORT_COMMAND, module), _ENVIRONMENT) as child, suppress(ChildDiedError):
            child.read_line(_SECONDS_TO_IMPORT)  # it says nothing, and ends


def ask_confinement() -> Confinement:
    """Start a worker that loads nothing, and return how it says that it is confined."""
    worker = WorkerProcess()
    try:
        answer = worker.ask(messages.CheckReady(), _SECONDS_TO_GREET)
    except ChildDiedError as death:
        return Confinement(by=None, reason=f"a worker {' '.join(death.message.split())}")
    finally:
        worker.stop()
    assert isinstance(answer, messages.Ready)
    return answer.confinement
