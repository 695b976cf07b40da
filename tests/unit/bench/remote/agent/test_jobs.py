"""Ending a job: it is asked first, killed then, and waited for no longer than a limit."""

import fcntl
import json
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

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lock: IO[bytes], is_job: bool = True) -> None:
        self.now_s = 1000.0
        self.signals: list[tuple[float, int, int]] = []
        self.ends_at: dict[int, float] = {}
        """How long after each signal it ends."""
        self._lock, self._end_s = lock, float("inf")
        monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: self.now_s, sleep=self._sleep))
        monkeypatch.setattr("os.kill", self._kill)
        monkeypatch.setattr(jobs, "_is_job", lambda pid: is_job and pid == PID)

    def _sleep(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s >= self._end_s:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _kill(self, pid: int, number: int) -> None:
        self.signals.append((self.now_s - 1000, pid, number))
        self._end_s = min(self._end_s, self.now_s + self.ends_at.get(number, float("inf")))


@contextmanager
def running(root: Path) -> Iterator[IO[bytes]]:
    """Hold the lock as a running job does."""
    root.mkdir()
    with (root / "measuring").open("wb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(json.dumps({"job": "abc", "pid": PID}).encode())
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


def test_a_process_that_got_the_jobs_number_since_gets_no_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path / "store") as lock:
        job = StubbornJob(monkeypatch, lock, is_job=False)

        with pytest.raises(RefusedError, match="does not end"):
            Jobs(Store(tmp_path / "store")).stop()

    assert job.signals == []
