"""The agent answers the laptop, also where it cannot work at all."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.remote.agent import serving
from bench.remote.agent.store import Store


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user that the board does not know, without HOME."""

    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)


@pytest.mark.usefixtures("no_home")
def test_a_user_without_a_home_is_refused_in_an_answer(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "umask", lambda _mask: 0)
    read_end, write_end = os.pipe()
    os.write(write_end, b'{"request": "clean", "stop": false}\n')
    try:
        serving.main(read_end)
    finally:
        os.close(read_end)
        os.close(write_end)

    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["refused"]
    assert answer["refused"].startswith("this user has no home folder")


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """The two ends of a connection: the agent's, and the laptop's."""
    read_end, write_end = os.pipe()
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


class Clock:
    """A clock that stands still until it is set."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(serving, "time", clock)
    return clock


def test_a_laptop_that_sends_nothing_is_gone(ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "_SILENCE_S", 0.0)

    with pytest.raises(serving.LaptopGoneError):
        serving.LaptopLink(ends[0]).read_request()


def test_a_laptop_that_follows_a_job_without_a_sign_of_life_is_gone(
    ends: tuple[int, int], clock: Clock
) -> None:
    link = serving.LaptopLink(ends[0])
    clock.now = 60.0
    assert not link.has_request(0.0)
    clock.now = 61.0

    with pytest.raises(serving.LaptopGoneError):
        link.has_request(0.0)


def test_empty_lines_keep_a_laptop_there_and_are_no_requests(ends: tuple[int, int], clock: Clock) -> None:
    link = serving.LaptopLink(ends[0])
    for clock.now in (50.0, 100.0, 150.0):
        os.write(ends[1], b"\n")
        assert not link.has_request(0.0)
    os.write(ends[1], b'\n{"request": "stop"}\n\n')

    assert link.has_request(0.0)
    assert link.read_request() == b'{"request": "stop"}'
    assert not link.has_request(0.0)


def test_a_request_that_waited_while_the_agent_worked_is_read(ends: tuple[int, int], clock: Clock) -> None:
    link = serving.LaptopLink(ends[0])
    os.write(ends[1], b'{"request": "stop"}\n')
    clock.now = 1000.0

    assert link.has_request(0.0)
    assert link.has_request(0.0)
    assert link.read_request() == b'{"request": "stop"}'


def test_a_laptop_that_vanishes_within_a_file_is_waited_for_once(
    ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    waits: list[float] = []

    class Link(serving.LaptopLink):
        def read(self, size: int) -> bytes:
            waits.append(size)
            return super().read(size)

    monkeypatch.setattr(serving, "_SILENCE_S", 0.0)
    os.write(ends[1], b"the first part")
    agent = serving.Agent(Store(tmp_path), Link(ends[0]))

    with pytest.raises(serving.LaptopGoneError):
        agent.do_put("0" * 64, 1000)

    assert len(waits) == 2  # what was there, and then nothing
