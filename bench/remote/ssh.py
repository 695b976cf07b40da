"""The link to a board's agent: the system's own ssh, so that whatever the engineer set up for it holds.

It knows processes, lines and the meaning of ssh's complaints; what is asked for is board's business.
"""

import json
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
from typing import Any

from bench.errors import BoardError, InputError, LinkLostError
from bench.remote.agent_source import agent_source
from bench.remote.targets import Target

OLDEST_PYTHON = (3, 10)
# Ctrl-C goes to every process of the terminal: ssh must outlive it, so that the board can still be told.
_DEAF_TO_INTERRUPTS = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")
# A link that is dead for half a minute is given up; otherwise nobody would notice that a laptop had slept.
# The rest overrules what ssh may be set up to do besides: run another command, forward ports, say nothing of
# what is wrong, or be the one connection that others are made over.
_OPTIONS = (
    *("-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"),
    *("-o", "RemoteCommand=none", "-o", "ClearAllForwardings=yes", "-o", "LogLevel=INFO"),
    *("-o", "ControlMaster=no", "-T"),
)
_CHECKS_NO_KEYS = ("false", "no", "off")
# One line of the simplest Python, for whatever the board has: it says hello, and runs the line it is sent.
# The folder that it starts in is nobody's library.
_GREETING = "edgefit-board"
_COMMAND = (
    'python3 -B -c "import sys;sys.path[:1]=[];'
    "sys.stdout.write('\\n" + _GREETING + " %d.%d.%d\\n'%sys.version_info[:3]);sys.stdout.flush();"
    "i=open(0,'rb',0);exec(i.readline())\""
)
_HELLO = re.compile(rf"{_GREETING} (\d{{1,3}})\.(\d{{1,3}})\.(\d{{1,3}})".encode())
_LOADER = (
    "n=int(i.readline());b=bytearray();"
    'exec("while len(b)<n:\\n b+=i.read(n-len(b)) or sys.exit()\\nexec(bytes(b))")'
)
_HELLO_LIMIT_S = 180.0
_ANSWER_LIMIT_S = 600.0
_STEP_S = 0.25
_CHUNK = 1 << 16


class StoppedError(Exception):
    """Somebody wants the work on this board to end."""


class Link:
    """An ssh process at whose other end the agent listens, until it is closed.

    `stopping` is looked at while waiting: StoppedError is raised once it is set.
    """

    def __init__(self, target: Target, stopping: threading.Event) -> None:
        self.target = target
        self._stopping = stopping
        ssh = _ssh_words()
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the link
        self._received = b""
        self._greeted = False
        words = (*_DEAF_TO_INTERRUPTS, *ssh, *_OPTIONS, *_strict(ssh, target), *target.words, _COMMAND)
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints, bufsize=0
        )
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the link; what the agent started goes on."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.terminate()  # which puts a terminal back in order that a password was asked at
            self._process.wait()
        self._process.stdout.close()
        self._complaints.close()

    def finish(self) -> None:
        """Go on though somebody wants the work to end: what is asked for from here on ends it."""
        self._stopping = threading.Event()

    def send(self, request: dict[str, Any]) -> None:
        """Send a request."""
        self.write(json.dumps(request).encode() + b"\n")

    def write(self, data: bytes) -> None:
        """Send bytes as they are; raises LinkLostError if nobody takes them."""
        assert self._process.stdin is not None
        view = memoryview(data)
        try:
            while view:
                self._refuse_to_go_on()
                view = view[self._process.stdin.write(view[:_CHUNK]) :]
        except BrokenPipeError:
            raise self._lost() from None

    def receive(self, limit_s: float = _ANSWER_LIMIT_S) -> dict[str, Any]:
        """Wait for one message; raises LinkLostError where none comes, BoardError if it is a refusal."""
        line = self._read_line(monotonic() + limit_s)
        try:
            message: dict[str, Any] = json.loads(line)
        except ValueError:
            message = {}
        if not isinstance(message, dict) or not message:
            raise BoardError(f"{self.target.name}: answered garbage: {line[:80]!r}")
        if "refused" in message:
            raise BoardError(f"{self.target.name}: {message['refused']}")
        return message

    def ask(self, request: dict[str, Any], limit_s: float = _ANSWER_LIMIT_S) -> Any:
        """Send a request and return its answer."""
        self.send(request)
        message = self.receive(limit_s)
        if "answer" not in message:
            raise BoardError(f"{self.target.name}: answered '{next(iter(message))}' to '{request['ask']}'")
        return message["answer"]

    def _greet(self) -> None:
        """Wait until Python greets; what a login script prints before that is not ours."""
        deadline = monotonic() + _HELLO_LIMIT_S
        while (match := _HELLO.fullmatch(self._read_line(deadline).strip())) is None:
            pass
        if tuple(map(int, match.groups())) < OLDEST_PYTHON:
            version = ".".join(one.decode() for one in match.groups())
            raise BoardError(
                f"{self.target.name}: has Python {version}; edgefit needs 3.10 or newer there: update its"
                " system, or put a newer python3 first in the PATH of its ssh logins"
            )
        self._greeted = True
        source = agent_source()
        self.write(_LOADER.encode() + b"\n" + str(len(source)).encode() + b"\n" + source)

    def _read_line(self, deadline: float) -> bytes:
        assert self._process.stdout is not None
        with DefaultSelector() as selector:
            selector.register(self._process.stdout, EVENT_READ)
            while b"\n" not in self._received:
                self._refuse_to_go_on()
                if monotonic() > deadline:
                    raise LinkLostError(f"{self.target.name}: gave no answer in time")
                if not selector.select(_STEP_S):
                    continue
                if not (piece := os.read(self._process.stdout.fileno(), _CHUNK)):
                    raise self._lost()
                self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return line

    def _refuse_to_go_on(self) -> None:
        if self._stopping.is_set():
            raise StoppedError

    def _lost(self) -> BoardError:
        """Return the error that says why ssh ended, by its own words."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace")
        if self._greeted:
            return LinkLostError(
                f"{self.target.name}: the link broke ({_last_line(said) or 'ssh said nothing'})"
            )
        return why_not_reached(self.target, self._process.returncode, said)


def why_not_reached(target: Target, code: int | None, said: str) -> BoardError:
    """Return the error for an ssh that ended with `code`, after it `said` something, before anybody greeted.

    It is a LinkLostError where trying again later may help.
    """
    last = _last_line(said) or f"ssh ended with code {code}"
    for sign, remedy in _REMEDIES.items():
        if sign in said:
            return BoardError(f"{target.name}: {remedy.format(host=target.host)} ({last})")
    for sign, remedy in _REMEDIES_OF_NOW.items():
        if sign in said:
            return LinkLostError(f"{target.name}: {remedy} ({last})")
    if code == _NOT_FOUND or "python3" in last:
        return BoardError(
            f"{target.name}: has no python3 for ssh logins ({last}); there: sudo apt install python3"
        )
    return LinkLostError(f"{target.name}: the link broke ({last})")


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and not line.startswith("Warning:")]
    return lines[-1] if lines else ""


_NOT_FOUND = 127
# By what OpenSSH's ssh says, each with what to do; the first that fits.
_REMEDIES = {
    "REMOTE HOST IDENTIFICATION HAS CHANGED": (
        "its host key is not the one that is known: somebody else may be answering, or its system is new."
        " If you know why, forget the old key: ssh-keygen -R {host}"
    ),
    "Host key verification failed": (
        "its host key is not known here. Look at it and accept it once: ssh {host}"
    ),
    "No matching host key": "its host key cannot be checked; look at it once: ssh {host}",
    "Permission denied": (
        "refused to let you in. Give it your key: ssh-copy-id {host}, or name one in ~/.ssh/config"
    ),
    "Too many authentication failures": "refused every key; name the right one in ~/.ssh/config",
    "Bad configuration option": "ssh does not understand its own configuration",
}
# What may be over in a minute, when a board has booted.
_REMEDIES_OF_NOW = {
    "Could not resolve hostname": "no such host; is its name right, and is it in this network?",
    "Connection refused": "nothing answers at its ssh port; is its ssh server on? (sudo raspi-config)",
    "timed out": "does not answer; is it switched on, and in this network?",
    "No route to host": "cannot be reached; is it switched on, and in this network?",
    "Network is unreachable": "cannot be reached; is this machine in a network?",
}


def _ssh_words() -> Sequence[str]:
    """Return the ssh command: $EDGEFIT_SSH, words as a shell would read them, else `ssh`."""
    asked = os.environ.get("EDGEFIT_SSH", "")
    try:
        words = shlex.split(asked) or ["ssh"]
    except ValueError as error:
        raise InputError(f"EDGEFIT_SSH='{asked}': {error}; write it as a shell would read it") from None
    if shutil.which(words[0]) is None:
        raise InputError(f"{words[0]}: is not installed here; edgefit reaches boards by the system's own ssh")
    return words


def _strict(ssh: Sequence[str], target: Target) -> Sequence[str]:
    """Return the option that has host keys checked where the engineer's configuration says not to."""
    done = subprocess.run(
        [*ssh, "-G", *target.words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    unchecked = found.get("stricthostkeychecking") in _CHECKS_NO_KEYS
    return ("-o", "StrictHostKeyChecking=ask") if unchecked else ()
