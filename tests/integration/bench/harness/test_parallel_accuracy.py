"""Accuracy passes of several cases at once: what they give, and when the timed options decide alone."""

import os
from collections import Counter
from pathlib import Path

import pytest
from making.faulty_plan import Silent, case, faulty_runtime, plan
from making.tiny_report import HOST

from bench.harness import examination
from bench.harness.case_worker import CaseWorker
from bench.harness.examination import Examiner
from bench.harness.journal import Journal
from bench.harness.journal_entries import Examined, JournalState
from bench.harness.parallel_accuracy import is_worth_it
from bench.harness.plan import Case
from bench.run_config import RunConfig

CORES = (min(os.sched_getaffinity(0)),) * 2
PLENTY = 8 << 30


def two_threads(folder: Path, name: str, fault: str = "nothing") -> Case:
    return case(folder, name, fault, config=RunConfig(provider="cpu", threads=2), cpus=CORES)


def examined(
    cases: list[Case], folder: Path, monkeypatch: pytest.MonkeyPatch, free_bytes: int = PLENTY
) -> tuple[JournalState, Counter[str]]:
    """Examine all cases; return what is known of them, and which had a process with one thread."""
    with_one_thread: Counter[str] = Counter()
    start = CaseWorker.__init__

    def watched(self: CaseWorker, started: Case, *arguments: object, **named: object) -> None:
        if started.is_artifact and started.config.threads == 1:
            with_one_thread[started.id] += 1
        start(self, started, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(CaseWorker, "__init__", watched)
    monkeypatch.setattr(examination, "is_worth_it", lambda *_: True)
    with faulty_runtime(), Journal("side by side", resume=False) as journal:
        Examiner(plan(folder, cases), HOST, "now", Silent()).examine_all(journal, free_bytes)
        journal.finish()
    return journal.state, with_one_thread


def test_cases_side_by_side_give_what_each_gives_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [two_threads(tmp_path, "a"), two_threads(tmp_path, "b"), two_threads(tmp_path, "c")]
    with faulty_runtime():
        alone = Examiner(plan(tmp_path, cases), HOST, "now", Silent()).examine(cases[0])
    assert isinstance(alone, Examined)
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path / "another"))

    together, with_one_thread = examined(cases, tmp_path, monkeypatch)

    assert with_one_thread == {"a": 1, "b": 1, "c": 1}
    assert {name: one.logits for name, one in together.examined.items() if one.logits} == dict.fromkeys(
        "abc", alone.logits
    )
    assert len(list((tmp_path / "another" / "predictions").iterdir())) == 3


@pytest.mark.parametrize("fault", ["round", "segfault"])
def test_a_file_that_one_thread_computes_otherwise_is_judged_with_its_timed_threads(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = two_threads(tmp_path, "odd", f"{fault} one-thread")

    found, with_one_thread = examined([odd, two_threads(tmp_path, "b")], tmp_path, monkeypatch)

    assert with_one_thread == {"odd": 1, "b": 1}
    assert not found.ended
    assert found.examined["odd"].logits == found.examined["b"].logits


def test_without_memory_for_two_each_case_is_judged_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [two_threads(tmp_path, "a"), two_threads(tmp_path, "b")]

    found, with_one_thread = examined(cases, tmp_path, monkeypatch, free_bytes=1)

    assert not with_one_thread
    assert {name for name, one in found.examined.items() if one.logits} == {"a", "b"}


def test_only_a_long_pass_is_worth_a_process_of_its_own() -> None:
    assert is_worth_it(512, sample_s=0.02, loading_s=0.2)
    assert not is_worth_it(512, sample_s=0.002, loading_s=0.2)
    assert not is_worth_it(512, sample_s=0.01, loading_s=2.5)
