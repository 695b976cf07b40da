"""Whenever a board or a laptop loses power: the report is whole somewhere, or its journal resumes the run."""

import json
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from making.compared_report import Row, made_report
from making.power_loss import PowerLoss, quick_syncing  # noqa: F401 - used by every test

from bench.harness.journal import Journal
from bench.harness.journal_entries import Ended
from bench.measurements import Skipped
from bench.remote import job_process
from bench.remote.agent import jobs as agent_jobs
from bench.remote.agent.jobs import Jobs
from bench.remote.agent.store import Store
from bench.remote.job_folder import BundleFiles, JobRequest
from bench.report.files import parse_report, read_report, write_report
from bench.run import benchmark
from bench.run.request import BenchmarkRequest
from device_profiles.loading import load_profile
from edgefit.progress import Silence

JOB = "abc"
REPORT = made_report({"onnx-fp32": Row(10)})
CASES = ("a", "b")
REQUEST = JobRequest(
    benchmark=BenchmarkRequest(quick=True, name="n", tool="1.0", created="now"),
    profile=load_profile("raspberry-pi-4"),
    subject=BundleFiles(variants=()),
)


@pytest.fixture
def watched() -> list[PowerLoss]:
    """Who is told what is synced."""
    return []


@pytest.fixture(autouse=True)
def _nothing_is_measured(
    handlers_return: None, monkeypatch: pytest.MonkeyPatch, watched: list[PowerLoss]
) -> None:
    def measured(*words: Any) -> dict[str, Any]:
        """Measure nothing, but write the journal and sync it as a run does."""
        journal: Journal = words[3]
        for name in CASES[len(journal.state.ended) :]:
            journal.add(Ended(case=name, outcome=Skipped(reason="for a test")))
            journal.sync()
            for loss in watched:
                loss.done += 1
        return {}

    def prepared(_measured: object, _profile: object, request: object, **_named: object) -> SimpleNamespace:
        state = SimpleNamespace(available_bytes=0)
        return SimpleNamespace(
            parts=(None,), request=request, variables=(), plan=None, host=None, terms=None, state=state
        )

    for name, replacement in {
        "_prepare": prepared,
        "_key": lambda _: "run",
        "measure": measured,
        "proxy": SimpleNamespace(host_rates=lambda *_: ()),
        "_report": lambda *_: REPORT,
        "sentence_on_cleared": lambda _: None,
        "sentence_on_time": lambda _: "",
    }.items():
        monkeypatch.setattr(benchmark, name, replacement)
    monkeypatch.setattr(job_process, "opened", lambda *_: nullcontext(None))


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


class Board:
    """A board's store, whose jobs run in this process."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs = Jobs(Store(root))
        monkeypatch.setenv("EDGEFIT_CACHE", str(root / "cache"))
        monkeypatch.setattr(agent_jobs, "subprocess", SimpleNamespace(Popen=self._run, DEVNULL=None))
        self._monkeypatch = monkeypatch

    def measure(self) -> None:
        """Start the job, or resume it, and wait until it has ended."""
        request = json.loads(REQUEST.model_dump_json())
        request["benchmark"]["resume"] = self.jobs.state(JOB) == "interrupted"
        self.jobs.start(JOB, {"files": {}, "request": request, "environment": "e", "code": "c" * 64})

    def has_ended(self) -> bool:
        """Return whether the job has ended; its report is whole then."""
        if self.jobs.state(JOB) != "ended":
            return False
        assert parse_report(self.jobs.result(JOB)["report"].encode(), Path("r")) == REPORT
        return True

    def _run(self, command: list[str], **_: object) -> object:
        self._monkeypatch.setattr("sys.argv", command[2:])
        job_process.main()
        return SimpleNamespace(pid=1)


def in_the_journal(cache: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return how many cases can be resumed."""
    monkeypatch.setenv("EDGEFIT_CACHE", str(cache))
    with Journal("run", resume=True) as journal:
        assert list(journal.state.ended) == list(CASES[: len(journal.state.ended)])
        return len(journal.state.ended)


def test_a_board_that_loses_power_has_the_report_or_resumes_what_was_synced(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched: list[PowerLoss]
) -> None:
    loss = PowerLoss(disk)
    watched.append(loss)
    loss.run(Board(disk, monkeypatch).measure)

    for left, synced in loss.with_done(tmp_path / "left"):
        board = Board(left, monkeypatch)
        if not board.has_ended():
            assert in_the_journal(left / "cache", monkeypatch) >= synced
            Board(left, monkeypatch).measure()
            assert board.has_ended()
    for left in loss.at_the_end(tmp_path / "end"):
        assert Board(left, monkeypatch).has_ended()


def test_a_board_forgets_its_job_once_the_laptop_has_the_report(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(disk / "board", monkeypatch)
    board.measure()
    loss = PowerLoss(disk)

    def fetch() -> None:
        text = board.jobs.result(JOB)["report"]
        write_report(disk / "laptop" / "report.json", parse_report(text.encode(), Path("r")))
        board.jobs.delete_job(JOB, keep_journal=False)

    loss.run(fetch)

    for left in loss.at_any_step(tmp_path / "left"):
        report = left / "laptop" / "report.json"
        assert report.exists() or Board(left / "board", monkeypatch).has_ended()
        assert not report.exists() or read_report(report) == REPORT
    for left in loss.at_the_end(tmp_path / "end"):
        assert read_report(left / "laptop" / "report.json") == REPORT
        assert Board(left / "board", monkeypatch).jobs.state(JOB) == "unknown"


def test_a_run_here_has_its_report_or_resumes_what_was_synced(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watched: list[PowerLoss]
) -> None:
    def run(place: Path) -> None:
        monkeypatch.setenv("EDGEFIT_CACHE", str(place / "cache"))
        request = REQUEST.benchmark.model_copy(update={"resume": True})
        write = partial(write_report, place / "out" / "report.json")
        benchmark.benchmark(None, REQUEST.profile, request, Silence(), write)  # type: ignore[arg-type]

    loss = PowerLoss(disk)
    watched.append(loss)
    loss.run(lambda: run(disk))

    for left, synced in loss.with_done(tmp_path / "left"):
        report = left / "out" / "report.json"
        if not report.exists():
            assert in_the_journal(left / "cache", monkeypatch) >= synced
            run(left)
        assert read_report(report) == REPORT
    for left in loss.at_the_end(tmp_path / "end"):
        assert read_report(left / "out" / "report.json") == REPORT
