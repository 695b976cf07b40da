"""The connection to a board's agent: the system's own ssh, so that the engineer's configuration of it holds.

It knows processes, lines and the meaning of ssh's errors. board knows what is requested.
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
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
from bench.remote.targets import Target

OLDEST_PYTHON = (3, 10)
# Ctrl-C goes to every process of the terminal: ssh must outlive it, so that the board can still be reached.
_IGNORE_INTERRUPTS = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
# A connection that is dead for half a minute is given up; otherwise a laptop that slept would wait for ever.
# The rest overrules what ssh's configuration may do besides: run another command, forward ports, suppress
# errors, or be the one connection that others are made over.
_OPTIONS = (
    *("-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"),
    *("-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes", "-o", "LogLevel=INFO"),
    # A model that runs on the board could use an agent's keys, and a window on the screen here.
    *("-o", "ForwardAgent=no", "-o", "ForwardX11=no"),
    *("-o", "ControlMaster=no", "-T"),
)
_CHECKS_NO_KEYS = ("false", "no", "off")
# One line of the simplest Python, for any version: it prints its version, and runs the line that it receives.
# The folder that it starts in is nobody's library.
_HANDSHAKE = "edgefit-board"
_COMMAND = (
    'python3 -B -c "import sys;sys.path[:1]=[];'
    "sys.stdout.write('\\n" + _HANDSHAKE + " %d.%d.%d\\n'%sys.version_info[:3]);sys.stdout.flush();"
    "i=open(0,'rb',0);exec(i.readline())\""
)
_HANDSHAKE_LINE = re.compile(rf"{_HANDSHAKE} (\d{{1,3}})\.(\d{{1,3}})\.(\d{{1,3}})".encode())
_LOADER = (
    "n=int(i.readline());b=bytearray();"
    'exec("while len(b)<n:\\n b+=i.read(n-len(b)) or sys.exit()\\nexec(bytes(b))")'
)
_HANDSHAKE_LIMIT_S = 180.0
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
        self._is_ready = False
        options = (*_OPTIONS, *_host_key_option(ssh, target))
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
            self._process.wait()
        self._process.stdout.close()
        self._stderr.close()

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
        deadline = monotonic() + _HANDSHAKE_LIMIT_S
        while (match := _HANDSHAKE_LINE.fullmatch(self._read_line(deadline).strip())) is None:
            pass
        if tuple(map(int, match.groups())) < OLDEST_PYTHON:
            version = b".".join(match.groups()).decode()
            raise BoardError(
                f"{self.target.name}: the board has Python {version}, and edgefit needs 3.10 or newer there;"
                " update its system, or put a newer python3 first in the PATH of its ssh logins"
            )
        self._is_ready = True
        source = agent_source()
        self.write(_LOADER.encode() + b"\n" + str(len(source)).encode() + b"\n" + source)

    def _read_line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        with DefaultSelector() as selector:
            selector.register(self._process.stdout, EVENT_READ)
            while b"\n" not in self._received:
                self._raise_if_stopped()
                if monotonic() > deadline:
                    raise LinkLostError(f"{self.target.name}: the board did not answer in time")
                if not selector.select(_POLL_S):
                    continue
                if not (piece := os.read(self._process.stdout.fileno(), _CHUNK)):
                    raise self._connection_error()
                self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _raise_if_stopped(self) -> None:
        if self._stopping.is_set():
            raise StoppedError

    def _connection_error(self) -> BoardError:
        """Return the error that says why ssh ended, by its own output."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_LIMIT_S)
        self._stderr.seek(0)
        stderr = self._stderr.read().decode(errors="replace")
        if self._is_ready:
            reason = _last_line(stderr) or "ssh printed no reason"
            return LinkLostError(f"{self.target.name}: the connection broke ({reason})")
        return connection_error(self.target, self._process.returncode, stderr)


def connection_error(target: Target, exit_code: int | None, stderr: str) -> BoardError:
    """Return the error for an ssh that ended before the board's Python answered.

    It is a LinkLostError where trying again later may help.
    """
    last = _last_line(stderr) or f"ssh ended with code {exit_code}"
    for sign, remedy in _REMEDIES.items():
        if sign in stderr:
            return BoardError(f"{target.name}: {remedy.format(host=target.host)} ({last})")
    for sign, remedy in _REMEDIES_OF_NOW.items():
        if sign in stderr:
            return LinkLostError(f"{target.name}: {remedy.format(host=target.host)} ({last})")
    if exit_code == _NOT_FOUND or "python3" in last:
        return BoardError(
            f"{target.name}: the board has no python3 for ssh logins ({last}); install it there: sudo apt"
            " install python3"
        )
    return LinkLostError(f"{target.name}: the connection broke ({last})")


def _last_line(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("Warning:")]
    return lines[-1] if lines else ""


_NOT_FOUND = 127
# What to do, by what OpenSSH's ssh prints; the first that fits.
_REMEDIES = {
    "REMOTE HOST IDENTIFICATION HAS CHANGED": (
        "the board's host key is not the known one: another machine may be answering, or the board's system"
        " is new. If you know why, remove the old key: ssh-keygen -R {host}"
    ),
    "Host key verification failed": (
        "the board's host key is not known here. Look at it and accept it once: ssh {host}"
    ),
    "No matching host key": "the board's host key cannot be checked. Look at it once: ssh {host}",
    "Permission denied": (
        "the board refused the login. Give it your key with ssh-copy-id {host}, or name a key in"
        " ~/.ssh/config"
    ),
    "Too many authentication failures": (
        "the board refused every key that ssh offered. Name the right one in ~/.ssh/config"
    ),
    "Bad configuration option": "ssh does not understand its configuration. Correct the line that it names",
}
# The same for what may be over in a minute, when a board has booted.
_REMEDIES_OF_NOW = {
    "Could not resolve hostname": (
        "the host name '{host}' is not known. Check how it is written, and that the board is in this network"
    ),
    "Connection refused": (
        "nothing listens at the board's ssh port. Switch its ssh server on (Raspberry Pi OS: sudo"
        " raspi-config)"
    ),
    "timed out": "the board does not answer. Check that it is switched on and in this network",
    "No route to host": "the board cannot be reached. Check that it is switched on and in this network",
    "Network is unreachable": "the board cannot be reached. Check that this machine is in a network",
}


def _ssh_command() -> Sequence[str]:
    """Return the ssh command: $EDGEFIT_SSH, split as a shell would split it, else `ssh`."""
    text = os.environ.get("EDGEFIT_SSH", "")
    try:
        command = shlex.split(text) or ["ssh"]
    except ValueError as error:
        raise InputError(f"EDGEFIT_SSH='{text}': {error}; quote it as a shell needs it") from None
    if shutil.which(command[0]) is None:
        raise InputError(
            f"{command[0]}: this program is not installed here, and edgefit needs it to reach boards; install"
            " an OpenSSH client, or name another command in EDGEFIT_SSH"
        )
    return command


def _host_key_option(ssh: Sequence[str], target: Target) -> Sequence[str]:
    """Return the option that has host keys checked where the engineer's configuration does not check them."""
    done = subprocess.run(
        [*ssh, "-G", *target.ssh_arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    configuration = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    unchecked = configuration.get("stricthostkeychecking") in _CHECKS_NO_KEYS
    return ("-o", "StrictHostKeyChecking=ask") if unchecked else ()
