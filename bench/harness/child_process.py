"""A child process that reads lines from stdin and answers on a separate pipe, and the error if it dies.

This module handles lines, time limits and deaths. The meaning of the lines is the caller's business. A child
that cannot be started because something is short just then counts as one that died at once.
"""

import atexit
import errno
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from bench.filesystem.deferred_signals import deferred_signals
from bench.harness.started_process import END_LIMIT_S, StartedProcess, any_has_output, signal_name
from bench.measurements import FailureKind
from bench.system.kernel_files import ROOT, text
from bench.system.operating_system import require_linux
from bench.units import mib

LONGEST_LINE = 1 << 28
"""How many bytes a line may have, if the caller names no other number."""

_STDERR_LINES_SHOWN = 6
_SEND_LIMIT_S = 120.0
_CHUNK = 1 << 16
# While it waits, the parent looks this often at what the child has printed, and whether it lives. An answer
# that comes sooner is waited for without using the CPU.
_STEP_S = 2.0
# A busy machine wakes a process up late; one that is later than this was stopped.
_LATE_S = 1.0
_MOST_PRINTED = 1 << 28
_OUT_OF_MEMORY = "bad_alloc"  # C++ writes this to stderr before it aborts
_KIND_BY_SIGNAL: dict[int, FailureKind] = {
    signal.SIGKILL: FailureKind.KILLED,
    signal.SIGILL: FailureKind.ILLEGAL_INSTRUCTION,
}
# What may be short when a process is started, and how there is more of it.
_REMEDIES = {
    errno.EAGAIN: "end other processes, or allow more of them (ulimit -u)",
    errno.ENOMEM: "end other programs, so that memory becomes free",
    errno.EMFILE: "allow more open files (ulimit -n)",
    errno.ENFILE: "end other programs that have files open",
    errno.ENOSPC: "free space in the folder for temporary files, or set TMPDIR to another one",
    errno.EDQUOT: "free space in the folder for temporary files, or set TMPDIR to another one",
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


def wait_for_output(children: "Sequence[ChildProcess]", limit_s: float) -> float:
    """Wait without using the CPU until one of some children has output, at most so long; return how long.

    What does not count is time for which this process itself was stopped, as by Ctrl-Z.
    """
    step_s, begin = min(_STEP_S, limit_s), time.monotonic()
    if not any(child.has_output for child in children):
        any_has_output([child.process for child in children], step_s)
    return min(step_s, time.monotonic() - begin)


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

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], longest_line: int = LONGEST_LINE
    ) -> None:
        """Start `command`, with the number of the pipe to answer on as its last argument.

        `environment` is added to the parent's own, which loses what would decide its threads and kernels
        (see bench.system.thread_variables). A child that sends more than `longest_line` bytes without a line
        end is ended. Raises UnsupportedSystemError where it is not Linux.
        """
        require_linux("a process that loads a model file")
        self.started_by = threading.get_ident()
        """The thread that started it."""
        self._longest_line = longest_line
        self._received = bytearray()
        self.waited_s = 0.0
        """How long the latest `read_line` waited, without what does not count."""
        self.stopped_s = 0.0
        """How much of its time did not count: this process was stopped, and perhaps the child too."""
        self._oom_kills = _oom_kills()
        self._started: StartedProcess | None = None
        self._shortage = ""
        try:
            # A signal between the start of the process and its entry in _RUNNING would leave it for ever.
            with deferred_signals():
                self._started = StartedProcess(command, environment)
                _RUNNING.add(self)
        except OSError as error:
            if error.errno not in _REMEDIES:
                raise
            self._shortage = f"could not be started ({error.strerror}): {_REMEDIES[error.errno]}"

    def __enter__(self) -> "ChildProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The child's process id; raises ChildDiedError if it could not be started."""
        return self.process.pid

    @property
    def is_running(self) -> bool:
        """Whether the child has not ended yet."""
        return self._started is not None and not self._started.has_ended

    @property
    def has_output(self) -> bool:
        """Whether reading would return at once, because there is output or the pipe is closed."""
        return bool(self._received) or self._started is None or self._started.has_output(0)

    @property
    def needs_attention(self) -> bool:
        """Whether `read_line` has something to say: there is output, or too much, or the child has ended."""
        started = self._started
        return (
            started is None or self.has_output or started.has_ended or started.printed_bytes() > _MOST_PRINTED
        )

    def send(self, line: str) -> None:
        """Send one line. Raises ChildDiedError if the child has ended, or takes nothing in time."""
        started, data = self.process, memoryview(line.encode() + b"\n")
        deadline = time.monotonic() + _SEND_LIMIT_S
        try:
            while data:
                if not started.takes_input(max(0.0, deadline - time.monotonic())):
                    raise self.end(FailureKind.HANG, "did not take its request in time and was ended")
                data = data[os.write(started.requests, data) :]
        except BrokenPipeError:
            raise self._death_error() from None

    def read_line(self, timeout_s: float) -> bytes:
        """Wait for one line.

        Raises ChildDiedError if the child dies, or sends or prints more than anybody would read. After
        `timeout_s` without a line, ends it and raises too. What does not count is time for which this process
        itself was stopped, as by Ctrl-Z.
        """
        started, searched = self.process, 0
        self.waited_s = self.stopped_s = 0.0
        while (end := self._received.find(b"\n", searched)) < 0:
            if self.waited_s >= timeout_s and not started.has_output(0):
                raise self.end(FailureKind.HANG, "gave no answer in time and was ended")
            searched = len(self._received)
            step_s, begin = min(_STEP_S, max(0.0, timeout_s - self.waited_s)), time.monotonic()
            if started.has_output(step_s):
                self._receive(started)
            elif started.has_ended and not started.has_output(0):  # another process holds its pipe
                raise self._death_error()
            self.waited_s += min(step_s, passed_s := time.monotonic() - begin)
            self.stopped_s += passed_s - step_s if passed_s > step_s + _LATE_S else 0.0
            self._refuse_flood(started)
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line

    def _receive(self, started: StartedProcess) -> None:
        if not (chunk := os.read(started.answers, _CHUNK)):
            raise self._death_error()
        self._received += chunk

    def _refuse_flood(self, started: StartedProcess) -> None:
        size, printed = len(self._received), started.printed_bytes()
        if size > self._longest_line:
            raise self.end(FailureKind.GARBAGE, f"sent {mib(size):.0f} MiB without a line end and was ended")
        if printed > _MOST_PRINTED:
            raise self.end(FailureKind.GARBAGE, f"printed {mib(printed):.0f} MiB and was ended")

    def end(self, kind: FailureKind, message: str) -> ChildDiedError:
        """End the child and every process that it started; return the error, with the end of its stderr."""
        started = self.process
        if not started.kill():
            message += f"; it still waits for a device {END_LIMIT_S:.0f} s after the system was to kill it"
        lines = [line.strip() for line in started.last_words().splitlines() if line.strip()]
        return ChildDiedError(kind, "\n".join([message, *lines[-_STDERR_LINES_SHOWN:]]))

    def stop(self) -> None:
        """End the child in whatever state it is, and remove its folder."""
        if self._started is not None:
            self._started.stop()
            _RUNNING.discard(self)

    @property
    def process(self) -> StartedProcess:
        """The process; raises ChildDiedError if it could not be started."""
        if self._started is None:
            raise ChildDiedError(FailureKind.ERROR, self._shortage)
        return self._started

    def _death_error(self) -> ChildDiedError:
        started = self.process
        if not started.ends_in_time():
            return self.end(FailureKind.HANG, "closed its pipe but did not end, and was ended")
        if (code := started.exit_code) is None:
            return self.end(FailureKind.EXIT, "ended before it answered, and nobody knows how")
        if code >= 0:
            return self.end(FailureKind.EXIT, f"ended with exit code {code} before it answered")
        if -code == signal.SIGABRT and _OUT_OF_MEMORY in started.last_words():
            return self.end(FailureKind.MEMORY, "could not allocate memory and aborted")
        if -code == signal.SIGKILL and _oom_kills() > self._oom_kills:
            return self.end(FailureKind.MEMORY, "was killed by the kernel because memory ran out")
        return self.end(_KIND_BY_SIGNAL.get(-code, FailureKind.CRASH), f"died of {signal_name(-code)}")


def _oom_kills() -> int:
    """Return how many processes the kernel has killed since boot because memory ran out; 0 if unavailable."""
    counts = (text(ROOT / "proc/vmstat") or "").splitlines()
    return next((int(line.split()[1]) for line in counts if line.startswith("oom_kill ")), 0)
