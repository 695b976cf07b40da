"""The pipes of an ssh process: each is bounded, and a laptop that is there gives signs of life."""

import os
import threading
import time
from collections.abc import Iterator
from typing import IO

import pytest

from bench.remote import ssh_pipes
from bench.remote.ssh_pipes import Incoming, LogTail, Outgoing, TooLongError


@pytest.fixture
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """A pipe: its end to read from, and its end to write to."""
    read_end, write_end = os.pipe()
    with (
        os.fdopen(read_end, "rb", buffering=0) as reading,
        os.fdopen(write_end, "wb", buffering=0) as writing,
    ):
        yield reading, writing


def test_a_line_is_taken_once_it_is_whole(pipe: tuple[IO[bytes], IO[bytes]]) -> None:
    reading, writing = pipe
    incoming = Incoming(reading)
    for piece in (b"on", b"e\ntwo\nth"):
        writing.write(piece)
        assert incoming.receive()

    assert [incoming.take_line(10) for _ in range(3)] == [b"one", b"two", None]
    writing.write(b"ree\n")
    assert incoming.receive()
    assert incoming.take_line(10) == b"three"


@pytest.mark.parametrize("sent", [b"x" * 12, b"x" * 12 + b"\n"])
def test_a_line_that_is_too_long_is_refused_before_it_ends(
    pipe: tuple[IO[bytes], IO[bytes]], sent: bytes
) -> None:
    reading, writing = pipe
    incoming = Incoming(reading)
    writing.write(sent)
    incoming.receive()

    with pytest.raises(TooLongError):
        incoming.take_line(11)


def test_signs_of_life_are_written_between_messages_and_never_within_one(
    pipe: tuple[IO[bytes], IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_pipes, "_BEAT_S", 0.01)
    reading, writing = pipe
    outgoing = Outgoing(writing)
    outgoing.beat()
    assert os.read(reading.fileno(), 1) == b"\n"

    outgoing.announce(8)
    outgoing.write_some(memoryview(b"abcd"))
    time.sleep(0.1)  # ten signs of life, were this not within a message
    outgoing.write_some(memoryview(b"efgh"))
    received = b""
    while not received.endswith(b"\n\n"):
        received += os.read(reading.fileno(), 1)
    outgoing.close()

    assert received.strip(b"\n") == b"abcdefgh"


def test_nothing_is_written_to_a_process_that_reads_nothing(
    pipe: tuple[IO[bytes], IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_pipes, "_POLL_S", 0.0)
    _, writing = pipe
    outgoing = Outgoing(writing)
    data = memoryview(bytes(ssh_pipes.CHUNK))
    outgoing.announce(1 << 30)
    while outgoing.write_some(data):
        pass

    assert outgoing.write_some(data) == 0
    outgoing.close()


def test_a_log_is_read_all_the_time_and_only_its_end_is_kept(
    pipe: tuple[IO[bytes], IO[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_pipes, "_LONGEST_LOG_BYTES", 1 << 18)
    reading, writing = pipe
    flooded = threading.Event()
    log = LogTail(reading, flooded.set)
    writing.write(b"debug1: Sending command: x\n")
    for _ in range(8):
        assert not flooded.is_set() or log.is_flooded
        writing.write(b"y" * (1 << 16))
    writing.write(b"the end")
    writing.close()

    assert log.last_words().endswith("the end")
    assert len(log.text) == 1 << 16
    assert log.is_logged_in
    assert flooded.is_set()
