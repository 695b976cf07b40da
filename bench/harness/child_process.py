"""A child process that takes lines on stdin and answers on a pipe of its own, and how it died.

It knows lines, time limits and signals; what the lines say is its users' business.
"""

import atexit
import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from bench.filesystem.deferred_signals import deferred_signals
from bench.measurements import FailureKind
from bench.system.kernel_files import ROOT, text

_LAST_LINES = 6
_SECONDS_TO_END = 10.0
_OUT_OF_MEMORY = "bad_alloc"  # what C++ says before it aborts
_KINDS = {
    signal.SIGKILL: FailureKind.KILLED,
    signal.SIGILL: FailureKind.ILLEGAL_INSTRUCTION,
}


# Those that an interrupt left without anyone to stop them end with this process.
_LIVING: set["ChildProcess"] = set()


@atexit.register
def _stop_the_living() -> None:
    for child in list(_LIVING):
        with suppress(OSError):  # an interrupt came in the middle of its stop
            child.stop()


class ChildDiedError(Exception):
    """The child gave no answer and never will; `message` ends with the last lines of its stderr."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class ChildProcess:
    """A process in a session and an empty folder of its own; use it as a context manager.

    A session, so that Ctrl-C reaches the parent alone, which then ends it; an empty folder, so that a user's
    own `models/` cannot be imported, and what a library writes is gone with the process. The number of the
    pipe to answer on is added to `command`, and `environment` to the parent's own.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="edgefit-")
        self._stderr = Path(self._folder.name) / "stderr"
        work = Path(self._folder.name) / "work"
        work.mkdir()
        self._answers, write_end = os.pipe()
        self._oom_kills = _oom_kills()
        # A signal between the start of the process and its entry among the living would leave it behind.
        with self._stderr.open("wb") as stderr, deferred_signals():
            self._process = subprocess.Popen(
                [*command, str(write_end)],
                stdin=subprocess.PIPE,
                stdout=stderr,
                stderr=stderr,
                pass_fds=(write_end,),
                cwd=work,
                env={**os.environ, **environment, "TMPDIR": str(work)},
                start_new_session=True,
                bufsize=0,
            )
            _LIVING.add(self)
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
        """Whether the child can still be asked anything."""
        return self._process.poll() is None

    @property
    def has_spoken(self) -> bool:
        """Whether there is something to read, or nothing will ever come: reading would not wait."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            return bool(self._received or selector.select(0))

    def send(self, line: str) -> None:
        """Send one line; raises ChildDiedError if nobody is there to take it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            raise self._death() from None

    def read_line(self, timeout_s: float) -> bytes:
        """Wait for one line without using the CPU.

        Raises ChildDiedError if the child dies, or is silent for `timeout_s`, upon which it is ended.
        """
        deadline = time.monotonic() + timeout_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise self.end(FailureKind.HANG, "gave no answer in time and was ended")
                if not (chunk := os.read(self._answers, 1 << 16)):
                    raise self._death()
                self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line

    def end(self, kind: FailureKind, what: str) -> ChildDiedError:
        """End the child and what it started; return the error that says `what`, with its last words."""
        self._kill()
        lines = self._stderr.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = [line.strip() for line in lines if line.strip()][-_LAST_LINES:]
        return ChildDiedError(kind, "\n".join([what, *tail]))

    def stop(self) -> None:
        """End the child, whatever state it is in, and remove its folder."""
        self._kill()
        if self in _LIVING:
            _LIVING.discard(self)
            os.close(self._answers)
        self._folder.cleanup()

    def _kill(self) -> None:
        assert self._process.stdin is not None
        with suppress(ProcessLookupError, PermissionError):  # nobody of its session is left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(_SECONDS_TO_END)
        self._process.stdin.close()

    def _death(self) -> ChildDiedError:
        try:
            code = self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return self.end(FailureKind.HANG, "closed its pipe but did not end, and was ended")
        if code >= 0:
            return self.end(FailureKind.EXIT, f"ended with exit code {code} in the middle of its work")
        died_of = signal.Signals(-code)
        if died_of is signal.SIGABRT and _OUT_OF_MEMORY in self._stderr.read_text(errors="replace"):
            return self.end(FailureKind.MEMORY, "could not allocate memory and aborted")
        if died_of is signal.SIGKILL and _oom_kills() > self._oom_kills:
            return self.end(FailureKind.MEMORY, "was killed by the kernel, for want of memory")
        return self.end(_KINDS.get(died_of, FailureKind.CRASH), f"died of {died_of.name}")


def _oom_kills() -> int:
    """Return how many processes the kernel has killed for want of memory since boot, 0 if untold."""
    counts = (text(ROOT / "proc/vmstat") or "").splitlines()
    return next((int(line.split()[1]) for line in counts if line.startswith("oom_kill ")), 0)
