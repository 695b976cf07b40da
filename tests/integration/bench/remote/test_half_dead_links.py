"""A link whose one end stands still: the laptop waits for a bounded time, and the board for a minute."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event

import psutil
import pytest
from making.ssh_server import SshServer

from bench.errors import BoardError, LinkLostError
from bench.remote import ssh_command, ssh_pipes
from bench.remote.agent_messages import BoardState, PrepareRequest, ProbeFacts
from bench.remote.probe import PROBE_REQUEST
from bench.remote.shipped_code import agent_source
from bench.remote.ssh import Link
from bench.remote.targets import parse_target

CLAIM = PrepareRequest(wheels=(), with_system_packages=False, code="0" * 64, job="abc")
_SECONDS = 60


def link_to(board: SshServer) -> Link:
    return Link(parse_target(board.target), Event())


@contextmanager
def paused(*processes: psutil.Process) -> Iterator[None]:
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def ssh_of(link: Link) -> psutil.Process:
    return psutil.Process(link._process.pid)


@pytest.fixture
def impatient_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that waits three seconds where it waits a minute."""
    source = agent_source().replace(b"_SILENCE_S = 60.0", b"_SILENCE_S = 3.0")
    assert source != agent_source()
    monkeypatch.setattr("bench.remote.ssh.agent_source", lambda: source)
    monkeypatch.setattr(ssh_pipes, "_BEAT_S", 0.2)


@pytest.fixture
def impatient_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ssh that waits a second where it waits half a minute."""
    options = ("-o", "ConnectTimeout=1", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1")
    monkeypatch.setattr(ssh_command, "_OPTIONS", (*options, *ssh_command._OPTIONS))


@pytest.mark.usefixtures("impatient_agent")
def test_a_laptop_that_vanishes_while_it_prepares_a_board_gives_it_back(board: SshServer) -> None:
    with closing(link_to(board)) as vanished, closing(link_to(board)) as other:
        vanished.call(CLAIM, BoardState)
        with pytest.raises(BoardError, match="another command is preparing this board"):
            other.call(CLAIM, BoardState)
        time.sleep(4)  # longer than the agent waits: a laptop that has nothing to ask keeps the board
        with pytest.raises(BoardError, match="another command is preparing this board"):
            other.call(CLAIM, BoardState)

        with paused(ssh_of(vanished)):
            deadline = time.monotonic() + _SECONDS
            while True:
                assert time.monotonic() < deadline
                try:
                    assert other.call(CLAIM, BoardState).job == "unknown"
                    break
                except BoardError:
                    time.sleep(0.2)
        with pytest.raises(LinkLostError):
            vanished.call(CLAIM, BoardState)


@pytest.mark.usefixtures("impatient_ssh")
def test_a_server_that_stands_still_ends_the_wait(board: SshServer) -> None:
    with closing(link_to(board)) as link:
        assert link.call(PROBE_REQUEST, ProbeFacts).may_write
        sessions = psutil.Process(board.process.pid).children(recursive=True)
        with paused(*sessions), pytest.raises(LinkLostError, match=r"^board: the connection broke"):
            link.call(PROBE_REQUEST, ProbeFacts)


@pytest.mark.usefixtures("impatient_ssh")
def test_a_server_that_accepts_and_says_nothing_ends_the_wait(board: SshServer) -> None:
    server = psutil.Process(board.process.pid)
    with paused(server), pytest.raises(LinkLostError, match=r"the board does not answer\. Check that it is"):
        link_to(board)


def test_an_ssh_that_does_not_end_is_killed(board: SshServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.remote.ssh._EXIT_LIMIT_S", 0.5)
    link = link_to(board)
    process = link._process
    os.kill(process.pid, signal.SIGSTOP)

    link.close()

    assert process.returncode == -signal.SIGKILL
    assert subprocess.run(["kill", "-0", str(process.pid)], capture_output=True, check=False).returncode
