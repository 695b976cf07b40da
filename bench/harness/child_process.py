"""A child process that reads lines from stdin and answers on a separate pipe, and the error if it dies.

This module handles lines, time limits and signals. The meaning of the lines is the caller's business.
"""

import atexit
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from bench.filesystem.deferred_signals import deferred_signals
from bench.filesystem.temporary_folder import TemporaryFolder
from bench.measurements import FailureKind
from bench.system.kernel_files import ROOT, text
from bench.system.operating_system import require_linux
from bench.system.python_process import python_environment

_STDERR_LINES_SHOWN = 6
_END_LIMIT_S = 10.0
_OUT_OF_MEMORY = "bad_alloc"  # C++ writes this to stderr before it aborts
_KIND_BY_SIGNAL = {
    signal.SIGKILL: FailureKind.KILLED,
    signal.SIGILL: FailureKind.ILLEGAL_INSTRUCTION,
}


# An interrupt may leave children that nothing stops. They end with this process.
_RUNNING: set["ChildProcess"] = set()


@atexit.register
def _stop_running_children() -> None:
    _stop(list(_RUNNING))


def stop_children_of_this_thread() -> None:
    """Stop what an interrupt left running, where this process goes on, as a notebook's does."""
    thread = threading.get_ident()
    with deferred_signals():
        _stop([child for child in _RUNNING if child.started_by == thread])


def _stop(children: "Sequence[ChildProcess]") -> None:
    for child in children:
        with suppress(OSError):  # an interrupt stopped it half-way through `stop`
            child.stop()


class ChildDiedError(Exception):
    """The child has ended without an answer. `message` ends with the last lines of its stderr."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class ChildProcess:
    """A process with a session and a working directory of its own; use it as a context manager.

    Its session keeps Ctrl-C away from it: the parent receives the signal and ends the child. Its working
    directory is empty, so that it cannot import a user's own `models/`; `stop` removes the directory with
    everything that libraries wrote there.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `command`, with the number of the pipe to answer on as its last argument.

        `environment` is added to the parent's own, which loses what would decide its threads and kernels
        (see bench.system.thread_variables). Raises UnsupportedSystemError where it is not Linux.
        """
        require_linux("a process that loads a model file")
        self._folder = TemporaryFolder()
        self._stderr = self._folder.path / "stderr"
        work = self._folder.path / "work"
        work.mkdir()
        self._answers, write_end = os.pipe()
        self._oom_kills = _oom_kills()
        self.started_by = threading.get_ident()
        """The thread that started it."""
        # A signal between the start of the process and its entry in _RUNNING would leave it running for ever.
        with self._stderr.open("wb") as stderr, deferred_signals():
            self._process = subprocess.Popen(
                [*command, str(write_end)],
                stdin=subprocess.PIPE,
                stdout=stderr,
                stderr=stderr,
                pass_fds=(write_end,),
                cwd=work,
                env=python_environment({**environment, "TMPDIR": str(work)}),
                start_new_session=True,
                bufsize=0,
            )
            _RUNNING.add(self)
        os.close(write_end)
        self._received = b""

    def __enter__(self) -> "ChildProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the child has not ended yet."""
        return self._process.poll() is None

    @property
    def has_output(self) -> bool:
        """Whether reading would return at once, because there is output or the pipe is closed."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            return bool(self._received or selector.select(0))

    def send(self, line: str) -> None:
        """Send one line. Raises ChildDiedError if the child has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise self._death_error() from None

    def read_line(self, timeout_s: float) -> bytes:
        """Wait for one line without using the CPU.

        Raises ChildDiedError if the child dies. After `timeout_s` without a line, ends it and raises too.
        """
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise self.end(FailureKind.HANG, "gave no answer in time and was ended")
                if not (chunk := os.read(self._answers, 1 << 16)):
                    raise self._death_error()
                self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line

    def end(self, kind: FailureKind, message: str) -> ChildDiedError:
        """End the child and every process that it started; return the error, with the end of its stderr."""
        self._kill()
        lines = self._stderr.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = [line.strip() for line in lines if line.strip()][-_STDERR_LINES_SHOWN:]
        return ChildDiedError(kind, "\n".join([message, *tail]))

    def stop(self) -> None:
        """End the child in whatever state it is, and remove its folder."""
        self._kill()
        if self in _RUNNING:
            _RUNNING.discard(self)
            os.close(self._answers)
        self._folder.delete()

    def _kill(self) -> None:
        assert self._process.stdin is not None
        with suppress(ProcessLookupError, PermissionError):  # no process of its session is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_END_LIMIT_S)
        self._process.stdin.close()

    def _death_error(self) -> ChildDiedError:
        try:
            code = self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            return self.end(FailureKind.HANG, "closed its pipe but did not end, and was ended")
        if code >= 0:
            return self.end(FailureKind.EXIT, f"ended with exit code {code} before it answered")
        cause = signal.Signals(-code)
        if cause is signal.SIGABRT and _OUT_OF_MEMORY in self._stderr.read_text(errors="replace"):
            return self.end(FailureKind.MEMORY, "could not allocate memory and aborted")
        if cause is signal.SIGKILL and _oom_kills() > self._oom_kills:
            return self.end(FailureKind.MEMORY, "was killed by the kernel because memory ran out")
        return self.end(_KIND_BY_SIGNAL.get(cause, FailureKind.CRASH), f"died of {cause.name}")


def _oom_kills() -> int:
    """Return how many processes the kernel has killed since boot because memory ran out; 0 if unavailable."""
    counts = (text(ROOT / "proc/vmstat") or "").splitlines()
    return next((int(line.split()[1]) for line in counts if line.startswith("oom_kill ")), 0)
