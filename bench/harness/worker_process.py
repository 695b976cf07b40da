"""The parent's side of a worker: start it, ask it, and say how it died. It knows no case and no plan."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from bench.harness import messages
from bench.measurements import FailureKind

WORKER_COMMAND = (sys.executable, "-m", "bench.harness.worker")

_LAST_LINES = 6
_SECONDS_TO_END = 5.0
_KINDS = {
    signal.SIGKILL: FailureKind.KILLED,
    signal.SIGILL: FailureKind.ILLEGAL_INSTRUCTION,
}


class WorkerDiedError(Exception):
    """The worker gave no answer and never will."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class RuntimeMissingError(Exception):
    """The worker says that this machine lacks what the case needs."""


class WorkerProcess:
    """A worker in a process and an empty folder of its own; use it as a context manager.

    It gets a session of its own, so that Ctrl-C reaches the parent alone, which then ends it. `command`
    is what to run; the number of the pipe to answer on is added to it.
    """

    def __init__(self, command: Sequence[str] = WORKER_COMMAND) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="edgefit-worker-")
        self._stderr_path = Path(self._folder.name) / "stderr"
        read_end, write_end = os.pipe()
        with self._stderr_path.open("wb") as stderr:
            self._process = subprocess.Popen(
                [*command, str(write_end)],
                stdin=subprocess.PIPE,
                stdout=stderr,
                stderr=stderr,
                pass_fds=(write_end,),
                cwd=self._folder.name,
                start_new_session=True,
            )
        os.close(write_end)
        self._answers = os.fdopen(read_end, "rb", buffering=0)
        self._received = b""

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def ask(self, request: messages.Request, timeout_s: float) -> messages.Answer:
        """Send one request and wait, without using the CPU, for its answer.

        Raises WorkerDiedError if the worker dies, raises, answers garbage, or is silent for `timeout_s`;
        RuntimeMissingError if it says that a runtime or device is missing here.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(request.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._death() from None
        try:
            answer = messages.ANSWERS.validate_json(self._read_line(timeout_s))
        except ValidationError as error:
            raise self._died(FailureKind.GARBAGE, f"answered garbage: {error.errors()[0]['msg']}") from None
        if isinstance(answer, messages.Raised):
            if answer.missing:
                raise RuntimeMissingError(answer.message.partition(": ")[2])
            raise self._died(FailureKind.ERROR, answer.message)
        return answer

    def stop(self) -> None:
        """End the process and remove its folder, whatever state it is in."""
        assert self._process.stdin is not None
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(_SECONDS_TO_END)
        try:
            self._process.stdin.close()
        except BrokenPipeError:  # an unsent request dies with the worker it was for
            self._process.stdin = None
        self._answers.close()
        self._folder.cleanup()

    def _read_line(self, timeout_s: float) -> bytes:
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    self._process.kill()
                    raise self._died(FailureKind.HANG, f"no answer within {timeout_s:.0f} s; ended")
                if not (chunk := os.read(self._answers.fileno(), 1 << 16)):
                    raise self._death()
                self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _death(self) -> WorkerDiedError:
        try:
            code = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._died(FailureKind.HANG, "closed its pipe but did not end; ended")
        if code >= 0:
            return self._died(FailureKind.EXIT, f"ended with exit code {code} in the middle of its work")
        name = signal.Signals(-code).name
        return self._died(_KINDS.get(signal.Signals(-code), FailureKind.CRASH), f"died of {name}")

    def _died(self, kind: FailureKind, what: str) -> WorkerDiedError:
        lines = self._stderr_path.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = [line.strip() for line in lines if line.strip()][-_LAST_LINES:]
        return WorkerDiedError(kind, "\n".join([what, *tail]))
