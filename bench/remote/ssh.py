"""The connection to a board's agent: the system's own ssh, so that the engineer's configuration of it holds.

It knows processes and lines. ssh_errors knows the meaning of ssh's errors, and board what is requested.
"""

import re
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from bench.errors import BoardError, LinkLostError
from bench.remote.agent_messages import (
    AgentMessage,
    AgentRequest,
    Answer,
    FollowMessage,
    PutRequest,
    Refusal,
    invalid_answer,
    read_answer,
    read_message,
)
from bench.remote.shipped_code import agent_source
from bench.remote.ssh_command import IGNORE_INTERRUPTS, ssh_command
from bench.remote.ssh_errors import Stuck, agent_error, connection_error, flood_error, stuck_error
from bench.remote.ssh_pipes import CHUNK, Incoming, LogTail, Outgoing, TooLongError
from bench.remote.targets import Target
from bench.units import mib
from user_files.printable import shortened

OLDEST_PYTHON = (3, 10)
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
# A board's disk may stop for a while to write what it has received.
_STANDSTILL_LIMIT_S = 120.0
_EXIT_LIMIT_S = 5

T = TypeVar("T")


@dataclass(frozen=True)
class AnswerLimit:
    """The longest that an answer may take and be."""

    seconds: float = 600.0
    """How long the agent may take to send it."""

    size_bytes: int = 1 << 18
    """How long it may be. Most have some hundred bytes; an error has the last lines of a process."""


_USUAL = AnswerLimit()


class StoppedError(Exception):
    """The work on this board is to end: another thread set `stopping`."""


class Link:
    """An ssh process with the agent at its other end, until it is closed.

    Every wait ends with StoppedError once `stopping` is set. Nothing that the board sends is trusted: each
    wait and each message has a limit.
    """

    def __init__(self, target: Target, stopping: threading.Event) -> None:
        self.target = target
        self._stopping = stopping
        self._is_ready = self._has_answered = False
        command = ssh_command(target, _COMMAND)
        # Another program than OpenSSH's has no such log, so its login counts from the beginning.
        self._login_began = None if command.has_log else monotonic()
        self._process = subprocess.Popen(
            (*IGNORE_INTERRUPTS, *command.words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._outgoing, self._incoming = Outgoing(self._process.stdin), Incoming(self._process.stdout)
        self._log = LogTail(self._process.stderr, self._process.kill)
        try:
            self._start_agent()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the connection; a job that the agent started goes on."""
        self._outgoing.close()
        self._incoming.close()  # or an ssh with more to print would wait for a reader
        # ssh restores a terminal at which it asked for a password, unless it is killed.
        for end in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(_EXIT_LIMIT_S)
            except subprocess.TimeoutExpired:
                end()
        self._process.wait()

    def ignore_stopping(self) -> None:
        """Go on although `stopping` is set: the next requests end the work on the board."""
        self._stopping = threading.Event()

    def send(self, request: AgentRequest) -> None:
        """Send a request. The bytes that a PutRequest announces are to be written next."""
        line = request.model_dump_json(by_alias=True).encode() + b"\n"
        follows = request.size_bytes if isinstance(request, PutRequest) else 0
        self._outgoing.announce(len(line) + follows)
        self.write(line)

    def write(self, data: bytes) -> None:
        """Send bytes as they are; raises LinkLostError if the connection broke, or stands still."""
        view, deadline = memoryview(data), monotonic() + _STANDSTILL_LIMIT_S
        try:
            while view:
                self._raise_if_stopped()
                if written := self._outgoing.write_some(view):
                    view, deadline = view[written:], monotonic() + _STANDSTILL_LIMIT_S
                elif monotonic() > deadline:
                    raise LinkLostError(
                        f"{self.target.name}: the board has taken nothing for {_STANDSTILL_LIMIT_S:.0f} s"
                    )
        except BrokenPipeError:
            raise self._connection_error() from None

    def receive(self, limit: AnswerLimit) -> Answer | FollowMessage:
        """Wait for one message; raises LinkLostError if none comes, BoardError if it is a refusal."""
        message: AgentMessage = read_message(self.target.name, self._read_line(limit))
        self._has_answered = True
        if isinstance(message, Refusal):
            raise BoardError(f"{self.target.name}: {shortened(message.refused)}")
        return message

    def call(self, request: AgentRequest, kind: type[T], limit: AnswerLimit = _USUAL) -> T:
        """Send a request and return its answer, which must be of this kind."""
        self.send(request)
        return self.answer(request, kind, limit)

    def answer(self, request: AgentRequest, kind: type[T], limit: AnswerLimit = _USUAL) -> T:
        """Wait for the answer to a request that was sent, which must be of this kind."""
        message = self.receive(limit)
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
        program = _LOADER.encode() + b"\n" + str(len(source)).encode() + b"\n" + source
        self._outgoing.announce(len(program))
        self.write(program)
        self._outgoing.beat()

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
            if not self._incoming.receive():
                raise self._connection_error()
        return match

    def _look_for_login(self, deadline: float) -> None:
        if self._log.is_logged_in:
            self._login_began = monotonic()
        elif monotonic() > deadline:
            raise LinkLostError(
                f"{self.target.name}: ssh has not logged in after {_PERSON_LIMIT_S:.0f} s; log in once with:"
                f" ssh {self.target.login}"
            )

    def _take_handshake(self) -> re.Match[bytes] | None:
        """Drop what a login script printed, and return the line of the board's Python once it is there."""
        match = _HANDSHAKE_LINE.search(self._incoming.received)
        if match is None:
            self._incoming.drop_all_but(CHUNK)
        else:
            self._incoming.drop(match.end())
        return match

    def _why_stuck(self) -> Stuck:
        """Close the input of a login after which no command runs, and see what happens."""
        self._outgoing.close()
        deadline = monotonic() + _REACTION_LIMIT_S
        while monotonic() < deadline:
            is_open = self._incoming.receive()
            if self._take_handshake() is not None:
                return Stuck.WAITS_FOR_INPUT
            if not is_open:
                return Stuck.IS_REPLACED
        return Stuck.WAITS

    def _read_line(self, limit: AnswerLimit) -> bytes:
        deadline = monotonic() + limit.seconds
        try:
            while (line := self._incoming.take_line(limit.size_bytes)) is None:
                self._raise_if_stopped()
                if monotonic() > deadline:
                    raise LinkLostError(
                        f"{self.target.name}: the board has not answered within {limit.seconds:.0f} s; look"
                        " whether it is busy or hangs"
                    )
                if not self._incoming.receive():
                    raise self._connection_error()
        except TooLongError:
            reason = f"it is longer than {mib(limit.size_bytes):.2f} MiB, which no such answer is"
            raise invalid_answer(self.target.name, reason) from None
        return line

    def _raise_if_stopped(self) -> None:
        if self._stopping.is_set():
            raise StoppedError

    def _connection_error(self) -> BoardError:
        """Return the error that says why ssh ended, by its own output."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_LIMIT_S)
        exit_code, log = self._process.returncode, self._log.last_words()
        if self._log.is_flooded:
            return flood_error(self.target, log)
        if self._is_ready:
            return agent_error(self.target, exit_code, log, self._has_answered)
        return connection_error(self.target, exit_code, log, self._received_text)

    @property
    def _received_text(self) -> str:
        return self._incoming.received.decode(errors="replace")
