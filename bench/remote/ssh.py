"""The connection to a board's agent: the system's own ssh, so that the engineer's configuration of it holds.

It knows processes and lines. ssh_errors knows the meaning of ssh's errors, and board what is requested.
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from time import monotonic
from typing import TypeVar

from bench.errors import BoardError, InputError, LinkLostError
from bench.remote.agent_messages import (
    AgentRequest,
    Answer,
    FollowMessage,
    Refusal,
    read_answer,
    read_message,
)
from bench.remote.shipped_code import agent_source
from bench.remote.ssh_errors import Stuck, agent_error, connection_error, has_log, is_logged_in, stuck_error
from bench.remote.targets import Target

OLDEST_PYTHON = (3, 10)
# Ctrl-C goes to every process of the terminal: ssh must outlive it, so that the board can still be reached.
_IGNORE_INTERRUPTS = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
# A connection that is dead for half a minute is given up; otherwise a laptop that slept would wait for ever.
# The log says when ssh has logged in: before that it may be asking for a password.
# The rest overrules what ssh's configuration may do besides: run another command, forward ports, or be the
# one connection that others are made over.
_OPTIONS = (
    *("-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"),
    *("-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes", "-o", "LogLevel=DEBUG1"),
    # A model that runs on the board could use an agent's keys, and a window on the screen here.
    *("-o", "ForwardAgent=no", "-o", "ForwardX11=no"),
    *("-o", "ControlMaster=no", "-T"),
)
_CHECKS_NO_KEYS = ("false", "no", "off")
# One line of the simplest Python, for any version: it prints its version, and runs the line that it receives.
# Neither the folder that it starts in nor one that PYTHONPATH names is its library.
_HANDSHAKE = "edgefit-board"
_COMMAND = (
    'python3 -B -E -c "import sys;sys.path[:1]=[];'
    "sys.stdout.write('\\n" + _HANDSHAKE + " %d.%d.%d\\n'%sys.version_info[:3]);sys.stdout.flush();"
    "i=open(0,'rb',0);exec(i.readline())\""
)
_HANDSHAKE_LINE = re.compile(
    rf"^[ \t\r]*{_HANDSHAKE} (\d{{1,3}})\.(\d{{1,3}})\.(\d{{1,3}})[ \t\r]*\n".encode(), re.MULTILINE
)
_LOADER = (
    "n=int(i.readline());b=bytearray();"
    'exec("while len(b)<n:\\n b+=i.read(n-len(b)) or sys.exit()\\nexec(bytes(b))")'
)
# A person who types a password needs time; a board's shell needs less, also where the login is slow.
_PERSON_LIMIT_S = 180.0
_COMMAND_LIMIT_S = 20.0
_LEAST_AFTER_LOGIN_S = 15.0
_REACTION_LIMIT_S = 3.0
_ANSWER_LIMIT_S = 600.0
_POLL_S = 0.25
_EXIT_LIMIT_S = 5
_CHUNK = 1 << 16

T = TypeVar("T")


class StoppedError(Exception):
    """The work on this board is to end: another thread set `stopping`."""


class Link:
    """An ssh process with the agent at its other end, until it is closed.

    Every wait ends with StoppedError once `stopping` is set.
    """

    def __init__(self, target: Target, stopping: threading.Event) -> None:
        self.target = target
        self._stopping = stopping
        ssh = _ssh_command()
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the connection
        self._received = b""
        self._is_ready = self._has_answered = False
        configuration = _configuration(ssh, target)
        options = (*_OPTIONS, *_host_key_option(configuration))
        # Another program than OpenSSH's has no such log, so its login counts from the beginning.
        self._login_began = None if has_log(configuration) else monotonic()
        self._process = subprocess.Popen(
            (*_IGNORE_INTERRUPTS, *ssh, *options, *target.ssh_arguments, _COMMAND),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            bufsize=0,
        )
        try:
            self._start_agent()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection; a job that the agent started goes on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_EXIT_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()  # ssh restores a terminal at which it asked for a password
            self._wait_or_kill()
        self._process.stdout.close()
        self._stderr.close()

    def _wait_or_kill(self) -> None:
        try:
            self._process.wait(_EXIT_LIMIT_S)
        except subprocess.TimeoutExpired:  # it ignores SIGTERM if edgefit was started so
            self._process.kill()
            self._process.wait()

    def ignore_stopping(self) -> None:
        """Go on although `stopping` is set: the next requests end the work on the board."""
        self._stopping = threading.Event()

    def send(self, request: AgentRequest) -> None:
        """Send a request."""
        self.write(request.model_dump_json(by_alias=True).encode() + b"\n")

    def write(self, data: bytes) -> None:
        """Send bytes as they are; raises LinkLostError if the connection broke."""
        assert self._process.stdin is not None
        view = memoryview(data)
        try:
            while view:
                self._raise_if_stopped()
                view = view[self._process.stdin.write(view[:_CHUNK]) :]
        except BrokenPipeError:
            raise self._connection_error() from None

    def receive(self, limit_s: float = _ANSWER_LIMIT_S) -> Answer | FollowMessage:
        """Wait for one message; raises LinkLostError if none comes, BoardError if it is a refusal."""
        message = read_message(self.target.name, self._read_line(monotonic() + limit_s))
        self._has_answered = True
        if isinstance(message, Refusal):
            raise BoardError(f"{self.target.name}: {message.refused}")
        return message

    def call(self, request: AgentRequest, kind: type[T], limit_s: float = _ANSWER_LIMIT_S) -> T:
        """Send a request and return its answer, which must be of this kind."""
        self.send(request)
        message = self.receive(limit_s)
        if not isinstance(message, Answer):
            raise BoardError(
                f"{self.target.name}: edgefit's agent did not answer the request"
                f" '{request.request}', but sent {type(message).__name__}; run the command again"
            )
        return read_answer(self.target.name, kind, message.answer)

    def _start_agent(self) -> None:
        """Wait for the board's Python and send it the agent; a login script may print lines before that."""
        match = self._wait_for_python()
        if tuple(map(int, match.groups())) < OLDEST_PYTHON:
            version = b".".join(match.groups()).decode()
            raise BoardError(
                f"{self.target.name}: the board has Python {version}, and edgefit needs 3.10 or newer there;"
                " update its system, or put a newer python3 first in the PATH of its ssh logins"
            )
        self._is_ready = True
        source = agent_source()
        self.write(_LOADER.encode() + b"\n" + str(len(source)).encode() + b"\n" + source)

    def _wait_for_python(self) -> re.Match[bytes]:
        begin = monotonic()
        while (match := self._take_handshake()) is None:
            self._raise_if_stopped()
            if self._login_began is None:
                self._look_for_login(begin + _PERSON_LIMIT_S)
            elif monotonic() > max(begin + _COMMAND_LIMIT_S, self._login_began + _LEAST_AFTER_LOGIN_S):
                waited_s, stuck = monotonic() - self._login_began, self._why_stuck()
                self._process.terminate()
                raise stuck_error(self.target, stuck, waited_s, self._received_text)
            if not self._receive():
                raise self._connection_error()
        return match

    def _look_for_login(self, deadline: float) -> None:
        if is_logged_in(self._stderr_text()):
            self._login_began = monotonic()
        elif monotonic() > deadline:
            raise LinkLostError(
                f"{self.target.name}: ssh has not logged in after {_PERSON_LIMIT_S:.0f} s; log in once with:"
                f" ssh {self.target.login}"
            )

    def _take_handshake(self) -> re.Match[bytes] | None:
        """Drop what a login script printed, and return the line of the board's Python once it is there."""
        match = _HANDSHAKE_LINE.search(self._received)
        self._received = self._received[-_CHUNK:] if match is None else self._received[match.end() :]
        return match

    def _why_stuck(self) -> Stuck:
        """Close the input of a login after which no command runs, and see what happens."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        deadline = monotonic() + _REACTION_LIMIT_S
        while monotonic() < deadline:
            is_open = self._receive()
            if self._take_handshake() is not None:
                return Stuck.WAITS_FOR_INPUT
            if not is_open:
                return Stuck.IS_REPLACED
        return Stuck.WAITS

    def _read_line(self, deadline: float) -> bytes:
        while b"\n" not in self._received:
            self._raise_if_stopped()
            if monotonic() > deadline:
                raise LinkLostError(f"{self.target.name}: the board did not answer in time")
            if not self._receive():
                raise self._connection_error()
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _receive(self) -> bool:
        """Wait a moment for more of the board's output, and return whether there may be more."""
        assert self._process.stdout is not None
        with DefaultSelector() as selector:
            selector.register(self._process.stdout, EVENT_READ)
            if not selector.select(_POLL_S):
                return True
        piece = os.read(self._process.stdout.fileno(), _CHUNK)
        self._received += piece
        return bool(piece)

    def _raise_if_stopped(self) -> None:
        if self._stopping.is_set():
            raise StoppedError

    def _connection_error(self) -> BoardError:
        """Return the error that says why ssh ended, by its own output."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_LIMIT_S)
        exit_code, stderr = self._process.returncode, self._stderr_text()
        if self._is_ready:
            return agent_error(self.target, exit_code, stderr, self._has_answered)
        return connection_error(self.target, exit_code, stderr, self._received_text)

    @property
    def _received_text(self) -> str:
        return self._received.decode(errors="replace")

    def _stderr_text(self) -> str:
        """Return what ssh has printed so far; it goes on writing where it was."""
        size = os.fstat(self._stderr.fileno()).st_size
        return os.pread(self._stderr.fileno(), size, 0).decode(errors="replace")


def _ssh_command() -> Sequence[str]:
    """Return the ssh command: $EDGEFIT_SSH, split as a shell would split it, else `ssh`."""
    text = os.environ.get("EDGEFIT_SSH", "")
    try:
        command = shlex.split(text) or ["ssh"]
    except ValueError as error:
        # Its text is not shown: it may contain a password.
        raise InputError(f"EDGEFIT_SSH: {error}; quote it as a shell needs it") from None
    if "=" in command[0]:
        raise InputError("EDGEFIT_SSH must begin with a program; set variables before edgefit is started")
    if shutil.which(command[0]) is None:
        raise InputError(
            f"{command[0]}: this program is not installed here, and edgefit needs it to reach boards; install"
            " an OpenSSH client, or name another command in EDGEFIT_SSH"
        )
    return command


def _configuration(ssh: Sequence[str], target: Target) -> dict[str, str]:
    """Return the engineer's configuration for a board, as ssh reads it."""
    done = subprocess.run(
        [*ssh, "-G", *_OPTIONS, *target.ssh_arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def _host_key_option(configuration: Mapping[str, str]) -> Sequence[str]:
    """Return the option that has host keys checked where the engineer's configuration does not check them."""
    unchecked = configuration.get("stricthostkeychecking") in _CHECKS_NO_KEYS
    return ("-o", "StrictHostKeyChecking=ask") if unchecked else ()
