"""The parent's side of a worker: it sends requests, receives answers and reports how a worker failed.

Cases and plans are the caller's business.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from bench.filesystem.cache_folder import cache_folder
from bench.filesystem.cache_limits import trim_cache
from bench.harness import worker_messages
from bench.harness.child_process import ChildDiedError, ChildProcess
from bench.measurements import FailureKind
from bench.runtimes.formats import NULL
from bench.runtimes.installed import NO_USAGE_DATA, is_installed, row_of
from bench.runtimes.providers import place_of
from bench.system.accelerators import device_files
from bench.system.memory_limit import JOIN
from bench.system.python_process import python_command
from bench.system.sandbox import Confinement
from bench.system.thread_variables import kept_environment

# OpenVINO contains oneDNN, which on Arm writes /tmp/perf-PID.map for a profiler and leaves it there.
_ENVIRONMENT = {"ONEDNN_JIT_PROFILE": "0", **NO_USAGE_DATA}
WORKER_COMMAND = python_command("bench.harness.start")
_IMPORT_COMMAND = python_command("bench.harness.importing")
_IMPORT_LIMIT_S = _READY_LIMIT_S = 120.0
_CPU, _TENSORRT = "cpu", "tensorrt"


class RuntimeMissingError(Exception):
    """The worker reports that this machine lacks the runtime or the device of the case."""


class WorkerProcess:
    """A worker. The caller must call `stop` in the end."""

    def __init__(
        self,
        command: Sequence[str] = WORKER_COMMAND,
        joins: Path | None = None,
        provider: str = _CPU,
        variables: str = "",
    ) -> None:
        """Start `command`; see ChildProcess.

        `joins`: a file to which the process writes its id before anything else, None for none. `provider`:
        where the artifact will run, which decides what the process may write. `variables`: those of the
        environment that the process keeps, as a shell sets them.
        """
        before = () if joins is None else (*JOIN, str(joins))
        writable = map(str, _writable(provider))
        self._child = ChildProcess(
            (*before, *command, *writable), {**_ENVIRONMENT, **kept_environment(variables)}
        )

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._child.pid

    @property
    def has_answered(self) -> bool:
        """Whether `receive` would return at once."""
        return self._child.has_output

    @property
    def stopped_s(self) -> float:
        """For how long everything stood still while the latest answer was waited for."""
        return self._child.stopped_s

    def stop(self) -> None:
        """End the worker in whatever state it is."""
        self._child.stop()

    def ask(self, request: worker_messages.Request, timeout_s: float) -> worker_messages.Answer:
        """Send one request and wait for its answer; raises what `send` and `receive` raise."""
        self.send(request)
        return self.receive(timeout_s)

    def send(self, request: worker_messages.Request) -> None:
        """Send one request. Raises ChildDiedError if the worker has ended."""
        self._child.send(request.model_dump_json())

    def receive(self, timeout_s: float) -> worker_messages.Answer:
        """Wait for the answer to the latest request.

        Raises ChildDiedError if the worker dies, raises, answers garbage, or does not answer within
        `timeout_s`. Raises RuntimeMissingError if this machine lacks the runtime or the device.
        """
        line = self._child.read_line(timeout_s)
        try:
            answer = worker_messages.ANSWERS.validate_json(line)
        except ValidationError as error:
            raise self._child.end(
                FailureKind.GARBAGE, f"sent an answer that is not valid: {error.errors()[0]['msg']}"
            ) from None
        if isinstance(answer, worker_messages.Raised):
            if answer.missing:
                raise RuntimeMissingError(answer.message.partition(": ")[2])
            raise self._child.end(answer.failure, answer.message)
        return answer


def _writable(provider: str) -> list[Path]:
    """Return what a worker may write besides its own folder: device files, and TensorRT's engine cache."""
    place = place_of(provider)
    devices = [] if place == _CPU else device_files()
    if place != _TENSORRT:
        return devices
    trim_cache(_TENSORRT)
    return [*devices, cache_folder(_TENSORRT)]


def compile_runtimes(formats: Iterable[str]) -> None:
    """Import the runtime of each format in a process that may write Python's bytecode files.

    Workers may not write them. Without these files, each worker would compile the runtime again. An error
    here is ignored, because the same error occurs in a worker and is reported there.
    """
    modules = {row.module for row in map(row_of, formats) if is_installed(row)} - {NULL.module}
    for module in sorted(modules):
        compile_runtime(module)


@cache
def compile_runtime(module: str) -> None:
    """Import the module of a runtime, once in the life of this process; see compile_runtimes."""
    command = (*_IMPORT_COMMAND, NULL.module, module)  # null costs no process of its own
    with ChildProcess(command, _ENVIRONMENT) as child, suppress(ChildDiedError):
        child.read_line(_IMPORT_LIMIT_S)  # it writes no line, and ends


def probe_confinement() -> Confinement:
    """Start a worker that loads nothing, and return the confinement that it reports."""
    worker = WorkerProcess()
    try:
        answer = worker.ask(worker_messages.CheckReady(), _READY_LIMIT_S)
    except ChildDiedError as error:
        return Confinement(by=None, reason=f"a worker {' '.join(error.message.split())}")
    finally:
        worker.stop()
    assert isinstance(answer, worker_messages.Ready)
    return answer.confinement
