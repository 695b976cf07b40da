"""Real workers, interleaved: fresh processes, groups, and the time limit."""

from pathlib import Path

from making.faulty_plan import SHORT, case, outcomes_of, plan

from bench.measurements import Completed, End


def test_each_repetition_is_fresh_and_cases_alternate_in_each_pass(tmp_path: Path) -> None:
    sampling = SHORT.model_copy(update={"check_after_processes": (2,)})

    outcomes = outcomes_of(plan(tmp_path, [case(tmp_path, "a"), case(tmp_path, "b")], sampling))

    assert outcomes.keys() == {"a", "b", "null"}
    places = []
    for outcome in outcomes.values():
        assert isinstance(outcome, Completed)
        assert [one.repetition for one in outcome.processes] == [0, 1]
        places += [
            (one.repetition, block.pass_index, block.position)
            for one in outcome.processes
            for block in one.blocks
        ]
    in_order = [
        (repetition, pass_index)
        for repetition, pass_index, position in sorted(places, key=lambda place: place[2])
    ]
    assert in_order == [
        (repetition, pass_index) for repetition in (0, 1) for pass_index in (0, 1, 2) for _ in range(3)
    ]


def test_when_time_is_up_each_process_has_one_block_and_none_is_added(tmp_path: Path) -> None:
    hasty = SHORT.model_copy(update={"check_after_processes": (2, 4), "interval": 1e-9})

    outcome = outcomes_of(plan(tmp_path, [case(tmp_path, "a")], hasty, seconds=1e-9))["a"]

    assert isinstance(outcome, Completed)
    assert [len(one.blocks) for one in outcome.processes] == [1, 1]
    assert outcome.ended is End.TIME


def test_cases_that_do_not_fit_into_memory_together_are_groups(tmp_path: Path) -> None:
    planned = plan(tmp_path, [case(tmp_path, "a"), case(tmp_path, "b")])

    outcomes = outcomes_of(planned, available_bytes=1)

    groups = {
        name: {one.group for one in outcome.processes}
        for name, outcome in outcomes.items()
        if isinstance(outcome, Completed)
    }
    assert groups == {"a": {0}, "b": {1}, "null": {0, 1}}
