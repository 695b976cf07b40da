"""A process with two pipes, a session and a folder of its own, until it has ended and is reaped.

It is reaped after everything in its session is killed: until then its number cannot become another's. What it
is told and what it answers is the business of child_process.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress

from bench.filesystem.temporary_folder import TemporaryFolder
from bench.system.python_process import python_environment

END_LIMIT_S = 10.0
"""How long a process may take to end. One that waits for a device ends when the device answers."""

_STEP_S = 0.01
_LAST_BYTES = 1 << 16
_STDOUT_FILE = "stdout"


class StartedProcess:
    """A process; the caller must call `stop` in the end."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `command`; see ChildProcess. Raises OSError, and leaves nothing then."""
        self._stack = ExitStack()
        with ExitStack() as undo:
            self._folder = TemporaryFolder()
            undo.callback(self._folder.delete)
            self._work = self._folder.path / "work"
            self._work.mkdir()
            # In append mode, so that several processes do not overwrite each other's lines.
            self._stderr = undo.enter_context((self._folder.path / "stderr").open("a+b"))
            self.answers, write_end = os.pipe()
            undo.callback(os.close, self.answers)
            try:
                self._process = subprocess.Popen(
                    [*command, str(write_end)],
                    stdin=subprocess.PIPE,
                    stdout=self._stderr,
                    stderr=self._stderr,
                    pass_fds=(write_end,),
                    cwd=self._work,
                    env=python_environment({**environment, "TMPDIR": str(self._work)}),
                    start_new_session=True,
                    bufsize=0,
                )
            finally:
                os.close(write_end)
            assert self._process.stdin is not None
            self.requests = self._process.stdin.fileno()
            os.set_blocking(self.requests, False)
            self._stack = undo.pop_all()
        self.exit_code: int | None = None
        """Its exit code, or a signal as a negative number. None before `has_ended`, or if it is not known."""
        self._has_ended = self._is_reaped = self._is_given_up = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended. It is not reaped by this question."""
        if not self._has_ended:
            try:
                end = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:  # the system reaps the children of this program
                self._process.poll()
                self._has_ended = self._is_reaped = True
            else:
                self._has_ended = end is not None
                if end is not None:
                    self.exit_code = end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
        return self._has_ended

    def ends_in_time(self) -> bool:
        """Wait until it has ended, but not for long; return whether it has."""
        deadline = time.monotonic() + END_LIMIT_S
        while not self.has_ended and time.monotonic() < deadline:
            time.sleep(_STEP_S)
        return self.has_ended

    def has_output(self, limit_s: float) -> bool:
        """Wait until its pipe can be read or is closed, at most so long; return whether it is."""
        return any_has_output([self], limit_s)

    def takes_input(self, limit_s: float) -> bool:
        """Wait until it can be written to or reads no more, at most so long; return whether it is so."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.requests, selectors.EVENT_WRITE)
            return bool(selector.select(limit_s))

    def printed_bytes(self) -> int:
        """Return how much it has printed, to stderr and to the file that a worker has for its stdout."""
        size = os.fstat(self._stderr.fileno()).st_size
        with suppress(OSError):
            size += (self._work / _STDOUT_FILE).stat().st_size
        return size

    def last_words(self) -> str:
        """Return the end of its stderr."""
        size = os.fstat(self._stderr.fileno()).st_size
        start = max(0, size - _LAST_BYTES)
        return os.pread(self._stderr.fileno(), _LAST_BYTES, start).decode(errors="replace")

    def kill(self) -> bool:
        """Kill it with all of its session, then reap it; return whether the system has ended it in time."""
        if self.has_ended and self._is_reaped:
            return True
        with suppress(ProcessLookupError, PermissionError):  # no process of its session is left
            os.killpg(self.pid, signal.SIGKILL)
        try:
            self._process.wait(0 if self._is_given_up else END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._is_given_up = True
            return False
        self._has_ended = self._is_reaped = True
        return True

    def stop(self) -> None:
        """Kill it, close its pipes and remove its folder. May be called again."""
        self.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._stack.close()


def any_has_output(processes: Iterable[StartedProcess], limit_s: float) -> bool:
    """Wait until the pipe of one can be read or is closed, at most so long; return whether one is."""
    with selectors.DefaultSelector() as selector:
        for process in processes:
            selector.register(process.answers, selectors.EVENT_READ)
        return bool(selector.select(limit_s))


def signal_name(number: int) -> str:
    """Return the name of a signal. Python names only the first and the last of those for real time."""
    try:
        return signal.Signals(number).name
    except ValueError:
        first, last = int(signal.SIGRTMIN), int(signal.SIGRTMAX)
        return f"SIGRTMIN+{number - first}" if first < number < last else f"signal {number}"
