"""Ending a job: it is asked first, killed then, and waited for no longer than a limit."""

import fcntl
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from bench.remote.agent import jobs
from bench.remote.agent.jobs import Jobs
from bench.remote.agent.store import RefusedError, Store

PID = 4711


class StubbornJob:
    """A clock and a process, which ends some time after a signal, or never."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lock: IO[bytes], is_found: bool = True) -> None:
        self.now_s = 1000.0
        self.signals: list[tuple[float, int, int]] = []
        self.ends_at: dict[int, float] = {}
        """How long after each signal it ends."""
        self._lock, self._end_s = lock, float("inf")
        monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: self.now_s, sleep=self._sleep))
        monkeypatch.setattr("os.kill", self._kill)
        monkeypatch.setattr(Jobs, "_processes", lambda _: [PID] if is_found else [])

    def _sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s >= self._end_s:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _kill(self, pid: int, number: int) -> None:
        self.signals.append((self.now_s - 1000, pid, number))
        self._end_s = min(self._end_s, self.now_s + self.ends_at.get(number, float("inf")))


@contextmanager
def running(root: Path, content: bytes = b'{"job": "abc"}') -> Iterator[IO[bytes]]:
    """Hold the lock as a running job does."""
    root.mkdir()
    with (root / "measuring").open("wb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(content)
        lock.flush()
        yield lock


def test_a_job_that_obeys_gets_one_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path / "store") as lock:
        job = StubbornJob(monkeypatch, lock)
        job.ends_at = {signal.SIGTERM: 3.0}

        Jobs(Store(tmp_path / "store")).stop()

    assert job.signals == [(0.0, PID, signal.SIGTERM)]


def test_a_job_that_does_not_obey_is_killed_after_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "store") as lock:
        job = StubbornJob(monkeypatch, lock)
        job.ends_at = {signal.SIGKILL: 0.0}

        Jobs(Store(tmp_path / "store")).stop()

    (asked_s, _, first), (killed_s, pid, second) = job.signals
    assert (first, second, pid) == (signal.SIGTERM, signal.SIGKILL, PID)
    assert asked_s == 0
    assert killed_s == pytest.approx(20, abs=0.2)


def test_a_job_that_cannot_be_killed_is_given_up_after_twice_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "store") as lock:
        job = StubbornJob(monkeypatch, lock)

        with pytest.raises(RefusedError, match="does not end; restart the board"):
            Jobs(Store(tmp_path / "store")).stop()

    assert job.now_s - 1000 == pytest.approx(40, abs=0.2)


def test_a_process_that_is_no_job_of_this_store_gets_no_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "store") as lock:
        job = StubbornJob(monkeypatch, lock, is_found=False)

        with pytest.raises(RefusedError, match="does not end"):
            Jobs(Store(tmp_path / "store")).stop()

    assert job.signals == []


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 256, b'{"job": "ab', b"null", b"[]", b'{"job": null}', b'{"job": 1}', b"\xff"]
)
def test_a_lock_that_does_not_say_whose_it_is_means_that_another_job_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    with running(tmp_path / "store", content) as lock:
        jobs_here = Jobs(Store(tmp_path / "store"))
        with pytest.raises(RefusedError, match="another measurement runs on this board"):
            jobs_here.state("abc")
        with pytest.raises(RefusedError, match="or add --stop"):
            jobs_here.clean(may_stop=False)
        job = StubbornJob(monkeypatch, lock)
        job.ends_at = {signal.SIGTERM: 3.0}

        jobs_here.stop()

    assert job.signals == [(0.0, PID, signal.SIGTERM)]


def test_a_lock_of_an_earlier_version_says_whose_it_is(tmp_path: Path) -> None:
    with running(tmp_path / "store", b'{"job": "abc", "pid": null}   '):
        assert Jobs(Store(tmp_path / "store")).state("abc") == "running"
