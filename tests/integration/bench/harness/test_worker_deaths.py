"""Every way in which a worker can die is a row with its kind, and costs nobody else anything."""

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest
from making.faulty_plan import case, lose_patience_with, outcomes_of, plan

from bench.harness import child_process
from bench.harness.case_worker import CaseWorker
from bench.harness.plan import Case
from bench.measurements import Completed, Failed, FailureKind, Stage
from bench.system.memory_limit import Cgroup

DEATHS = {
    "segfault infer": (FailureKind.CRASH, "died of SIGSEGV"),
    "kill infer": (FailureKind.KILLED, "died of SIGKILL"),
    "illegal infer": (FailureKind.ILLEGAL_INSTRUCTION, "died of SIGILL"),
    "memory infer": (FailureKind.MEMORY, "Unable to allocate"),
    "hang infer": (FailureKind.HANG, "gave no answer in time"),
    "print infer": (FailureKind.GARBAGE, "hello from a chatty runtime"),
    "exit infer": (FailureKind.EXIT, "exit code 7"),
    "leave infer": (FailureKind.EXIT, "exit code 0"),
    "real-time infer": (FailureKind.CRASH, "died of SIGRTMIN+1"),
    "raise infer": (FailureKind.ERROR, "RuntimeError: the operator is not implemented"),
    "raise load": (FailureKind.ERROR, "RuntimeError: the operator is not implemented"),
    "memory load": (FailureKind.MEMORY, "Unable to allocate"),
}


@pytest.mark.timeout(300)
def test_each_death_is_a_failed_row_and_costs_no_other_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "tmp"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    dying = [case(tmp_path, name.replace(" ", "-"), name) for name in DEATHS]
    healthy = [case(tmp_path, "first"), case(tmp_path, "last")]
    lose_patience_with("hang-infer", monkeypatch)

    outcomes = outcomes_of(plan(tmp_path, [healthy[0], *dying, healthy[1]]))

    for name, (kind, words) in DEATHS.items():
        outcome = outcomes[name.replace(" ", "-")]
        assert isinstance(outcome, Failed), name
        assert outcome.kind is kind, name
        assert words in outcome.message, name
        assert outcome.stage is (Stage.LOAD if "load" in name else Stage.MEMORY), name
        assert f"last words before {name.split()[0]}" in outcome.message, name
    for one in healthy:
        outcome = outcomes[one.variant]
        assert isinstance(outcome, Completed)
        assert [len(block.ns) for block in outcome.processes[0].blocks] == [4, 4, 4]
    assert not psutil.Process().children()
    assert list(own.iterdir()) == []


def test_what_cannot_be_started_or_limited_is_a_failed_row_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "no such group"
    cgroup = Cgroup(missing, missing, "memory.max", "memory.swap.max", swap_counts=False, none="max")
    limited = case(tmp_path, "limited", memory_limit_bytes=1 << 30)
    refused, healthy = case(tmp_path, "refused"), case(tmp_path, "healthy")
    start = CaseWorker.__init__

    def refuse(*_arguments: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def start_or_refuse(self: CaseWorker, case: Case, *arguments: Any, **named: Any) -> None:
        with pytest.MonkeyPatch.context() as patch:
            if case.id == "refused":
                patch.setattr(child_process, "StartedProcess", refuse)
            start(self, case, *arguments, **named)

    monkeypatch.setattr(CaseWorker, "__init__", start_or_refuse)

    outcomes = outcomes_of(plan(tmp_path, [limited, refused, healthy], memory_cgroup=cgroup))

    without_group, not_started = outcomes["limited"], outcomes["refused"]
    assert isinstance(without_group, Failed)
    assert without_group.reason == (
        f"error in stage start: no control group could be made in {missing} (No such file or directory)"
    )
    assert isinstance(not_started, Failed)
    assert not_started.kind is FailureKind.ERROR
    assert not_started.message == (
        "could not be started (Resource temporarily unavailable): end other processes, or allow more of them "
        "(ulimit -u)"
    )
    assert isinstance(outcomes["healthy"], Completed)


def test_a_death_between_two_blocks_costs_only_its_own_case(tmp_path: Path) -> None:
    lives = case(tmp_path, "lives")
    # Three inferences reach the memory peak; the sixth process to load finds another file.
    dies = case(tmp_path, "dies", "nothing")

    def spoil_and_time(*arguments: Any) -> None:
        (tmp_path / "dies.txt").write_text("segfault infer")
        time_group(*arguments)

    planned = plan(tmp_path, [lives, dies])
    from bench.harness.interleaving import InterleavedRunner

    time_group = InterleavedRunner.time_group
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InterleavedRunner, "time_group", spoil_and_time)
        outcomes = outcomes_of(planned)

    died = outcomes["dies"]
    assert isinstance(died, Failed)
    assert died.kind is FailureKind.CRASH
    assert died.stage in (Stage.FIRST_INFERENCE, Stage.WARM_UP)
    assert isinstance(outcomes["lives"], Completed)
