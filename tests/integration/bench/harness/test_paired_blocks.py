"""Paired runs of real workers: both sides in each pass, the time limit, and whose worker died."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from making.faulty_plan import SHORT, case, faulty_runtime, lose_patience_with, plan

from bench.harness.case_worker import CaseWorker
from bench.harness.paired_blocks import Pair, PairedRepetition, PairedRunner, SideEnded
from bench.harness.worker_process import WorkerProcess
from bench.measurements import Failed, Skipped
from bench.units import NS_PER_S


def test_a_paired_run_alternates_both_sides_in_each_pass(tmp_path: Path) -> None:
    pair = Pair(case(tmp_path, "before"), case(tmp_path, "after"))
    duels = PairedRunner(plan(tmp_path, [pair.baseline]), sleep=lambda _: None)

    with faulty_runtime():
        found = duels.run_repetition(pair, 7, limit_s=60)

    assert isinstance(found, PairedRepetition)
    for sides in zip(found.baseline.blocks, found.candidate.blocks, strict=True):
        assert {block.position // 2 for block in sides} == {sides[0].pass_index}
    assert len(found.baseline.blocks) == SHORT.blocks
    assert (found.baseline.repetition, found.candidate.repetition) == (7, 7)


def test_a_paired_run_that_is_out_of_time_still_has_a_pass(tmp_path: Path) -> None:
    pair = Pair(case(tmp_path, "before"), case(tmp_path, "after"))
    many = SHORT.model_copy(update={"blocks": 50})
    ticks = iter(range(1000))
    duels = PairedRunner(
        plan(tmp_path, [pair.baseline], many), sleep=lambda _: None, clock=lambda: next(ticks)
    )

    with faulty_runtime():
        found = duels.run_repetition(pair, 0, limit_s=0.5)

    assert isinstance(found, PairedRepetition)
    assert len(found.baseline.blocks) == 1


@pytest.mark.parametrize("fault", ["segfault infer", "hang infer"])
def test_a_paired_run_says_whose_worker_died(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair(case(tmp_path, "before"), case(tmp_path, "after", fault))
    duels = PairedRunner(plan(tmp_path, [pair.baseline]), sleep=lambda _: None)
    if fault == "hang infer":
        lose_patience_with("after", monkeypatch)

    with faulty_runtime():
        found = duels.run_repetition(pair, 0, limit_s=60)

    assert isinstance(found, SideEnded)
    assert found.is_candidate
    assert isinstance(found.outcome, Failed | Skipped)


def test_the_time_of_an_import_is_that_of_the_first_one(tmp_path: Path) -> None:
    with faulty_runtime(), CaseWorker(case(tmp_path, "before"), SHORT.hang_limit_s) as worker:
        worker.begin_preparing()
        worker.end_preparing()
        loaded, again = worker.load(None), worker.load(None)

    assert loaded.import_ns == again.import_ns


@pytest.mark.parametrize(
    ("stops", "blocks", "kept"), [([0.0], 1, 0), ([30.0, 0.0], 2, 0), ([30.0, 30.0, 31.0, 0.0], 3, 31)]
)
def test_a_block_in_which_everything_stood_still_is_run_again_and_says_if_it_did_so_every_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: list[float], blocks: int, kept: int
) -> None:
    with faulty_runtime(), CaseWorker(case(tmp_path, "before"), SHORT.hang_limit_s) as worker:
        started = worker.start(None, 0, 0, SHORT)
        ask = Mock(wraps=worker._ask)
        monkeypatch.setattr(WorkerProcess, "stopped_s", property(lambda _: stops[ask.call_count - 1]))
        monkeypatch.setattr(worker, "_ask", ask)
        block = worker.run_block(started, SHORT, 0, 0)

    assert ask.call_count == blocks
    assert block.stopped_ns == kept * NS_PER_S
    assert started.stopped_ns == 0


def test_a_start_in_which_everything_stood_still_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkerProcess, "stopped_s", property(lambda _: 10.0))

    with faulty_runtime(), CaseWorker(case(tmp_path, "before"), SHORT.hang_limit_s) as worker:
        assert worker.start(None, 0, 0, SHORT).stopped_ns == 30 * NS_PER_S  # load, first inference, warm-up
