"""Real workers, interleaved: fresh processes, groups, the time limit, and the prediction cache."""

from pathlib import Path

from making.faulty_plan import SHORT, Silent, case, outcomes_of, plan

from bench.filesystem.cache_folder import cache_folder
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
    hasty = SHORT.model_copy(update={"check_after_processes": (2, 4), "time_limit_s": 1e-9, "interval": 1e-9})

    outcome = outcomes_of(plan(tmp_path, [case(tmp_path, "a")], hasty))["a"]

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


def test_an_artifact_is_judged_once_and_its_answers_are_kept(tmp_path: Path) -> None:
    planned = plan(tmp_path, [case(tmp_path, "a")])
    first = outcomes_of(planned)["a"]

    second = outcomes_of(planned)["a"]
    changed = outcomes_of(plan(tmp_path, [case(tmp_path, "a", "nothing otherwise")]))["a"]

    assert isinstance(first, Completed)
    assert isinstance(second, Completed)
    assert isinstance(changed, Completed)
    assert (first.predictions_cached_at, second.predictions_cached_at, changed.predictions_cached_at) == (
        None,
        "now",
        None,
    )
    assert second.logits == first.logits
    assert len(list(cache_folder("predictions").iterdir())) == 2


def test_fewer_images_are_taken_from_what_is_kept_and_more_are_asked_for(tmp_path: Path) -> None:
    few = plan(tmp_path, [case(tmp_path, "a")], images=2)
    many = plan(tmp_path, [case(tmp_path, "a")], images=6)

    kept = [outcomes_of(planned)["a"] for planned in (few, many, few)]

    assert [len(outcome.logits or ()) for outcome in kept if isinstance(outcome, Completed)] == [2, 6, 2]
    assert [outcome.predictions_cached_at is None for outcome in kept if isinstance(outcome, Completed)] == [
        True,
        True,
        False,
    ]


def test_cached_predictions_that_are_damaged_are_computed_again_and_replaced(tmp_path: Path) -> None:
    planned, watching = plan(tmp_path, [case(tmp_path, "a")]), Silent()
    whole = outcomes_of(planned)["a"]
    (file,) = cache_folder("predictions").iterdir()
    kept = file.read_bytes()
    file.write_bytes(b"")  # as a loss of power may leave it

    again = outcomes_of(planned, progress=watching)["a"]

    assert isinstance(whole, Completed)
    assert isinstance(again, Completed)
    assert (again.logits, again.predictions_cached_at) == (whole.logits, None)
    assert watching.sentences == [
        f"{file}: the cached predictions in it are damaged; they are computed again"
    ]
    assert file.read_bytes() == kept


def test_sustained_runs_each_case_for_as_long_as_was_asked(tmp_path: Path) -> None:
    outcomes = outcomes_of(plan(tmp_path, [case(tmp_path, "a")], sustained_s=1.5))

    assert isinstance(outcomes["a"], Completed)
    run = outcomes["a"].sustained
    assert run is not None
    assert sum(block.elapsed_ns for block in run.figures) >= 1.5e9
    assert isinstance(outcomes["null"], Completed)
    assert outcomes["null"].sustained is None
