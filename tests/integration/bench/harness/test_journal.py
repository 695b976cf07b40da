"""The journal: a run that was cut off goes on, and loses at most the block that was being measured."""

from pathlib import Path

import pytest
from making.faulty_plan import SHORT, Silent, case, faulty_runtime, outcomes_of, plan
from making.tiny_report import HOST

from bench.harness.journal import Journal
from bench.harness.journal_entries import BlockMeasured, Entry
from bench.harness.plan import Plan
from bench.harness.run_plan import measure
from bench.measurements import Completed
from bench.run_config import RunConfig


class PowerCutError(BaseException):
    """Ends a run where it stands."""


def cut_off_after(blocks_measured: int, planned: Plan) -> None:
    """Run a plan until so many turns are in its journal."""
    add = Journal.add

    def add_and_die(self: Journal, entry: Entry) -> None:
        add(self, entry)
        if isinstance(entry, BlockMeasured) and entry.block.position == blocks_measured - 1:
            raise PowerCutError

    with pytest.MonkeyPatch.context() as patch, faulty_runtime(), Journal("run", resume=False) as journal:
        patch.setattr(Journal, "add", add_and_die)
        with pytest.raises(PowerCutError):
            measure(planned, HOST, 8 << 30, journal, Silent(), "now")


def passes(outcome: object, repetition: int) -> list[int]:
    assert isinstance(outcome, Completed)
    processes = [process for process in outcome.processes if process.repetition == repetition]
    return [block.pass_index for process in processes for block in process.blocks]


# In the first pass, in the second one, and in the second process.
@pytest.mark.parametrize("blocks_measured", [1, 3, 7])
def test_a_run_that_was_cut_off_goes_on_where_it_was(tmp_path: Path, blocks_measured: int) -> None:
    sampling = SHORT.model_copy(update={"check_after_processes": (2,)})
    planned = plan(tmp_path, [case(tmp_path, "a")], sampling)
    cut_off_after(blocks_measured, planned)

    with faulty_runtime(), Journal("run", resume=True) as journal:
        assert journal.was_interrupted
        assert journal.state.blocks_measured == blocks_measured
        before = journal.state.examined["a"]
        outcomes = measure(planned, HOST, 8 << 30, journal, Silent(), "now")
        journal.finish()

    for name in ("a", "null"):
        assert passes(outcomes[name], 0) == passes(outcomes[name], 1) == [0, 1, 2]
    taken = [
        block.position
        for outcome in outcomes.values()
        if isinstance(outcome, Completed)
        for process in outcome.processes
        for block in process.blocks
    ]
    assert sorted(taken) == list(range(12))
    assert isinstance(outcomes["a"], Completed)
    assert outcomes["a"].memory == before.memory


def test_both_providers_of_a_variant_go_on_where_they_were(tmp_path: Path) -> None:
    configs = [RunConfig(provider=provider, threads=1) for provider in ("cpu", "gpu")]
    cases = [case(tmp_path, "a", config=config) for config in configs]
    planned = plan(tmp_path, cases)
    cut_off_after(4, planned)

    outcomes = outcomes_of(planned, resume=True)

    assert outcomes.keys() == {"a", "a@gpu", "null"}
    for name in ("a", "a@gpu"):
        assert passes(outcomes[name], 0) == [0, 1, 2]


def test_a_damaged_end_costs_the_block_in_it_and_without_resume_a_run_begins_anew(tmp_path: Path) -> None:
    cut_off_after(2, plan(tmp_path, [case(tmp_path, "a")]))
    with Journal("run", resume=True) as journal:
        path, whole = journal.path, journal.path.read_bytes()
    without_last_line = whole[: whole[:-1].rfind(b"\n") + 1]

    for torn in (whole[:-1], whole[:-20]):
        path.write_bytes(torn)
        with Journal("run", resume=True) as journal:
            assert journal.state.blocks_measured == 1
            assert path.read_bytes() == without_last_line
    path.write_bytes(whole + b"\0" * 100)  # as a loss of power may leave it
    with Journal("run", resume=True) as journal:
        assert journal.state.blocks_measured == 2
    path.write_bytes(whole)
    with Journal("run", resume=False) as journal:
        assert journal.was_interrupted
        assert journal.state.examined == {}


def test_a_run_that_ends_leaves_no_journal(tmp_path: Path) -> None:
    outcomes_of(plan(tmp_path, [case(tmp_path, "a")]))

    with Journal("run", resume=True) as journal:
        assert not journal.was_interrupted
    assert not journal.path.exists()
