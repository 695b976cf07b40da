"""Turn-taking: rounds of fresh processes, looks, the time limit, and what is kept from run to run."""

from pathlib import Path

import pytest
from making.faulty_plan import SHORT, Silent, case, faulty_runtime, outcomes_of, plan
from making.tiny_report import process

from bench.filesystem.cache_folder import cache_folder
from bench.harness.interleaving import InterleavedRunner, end_of_sampling, time_is_up
from bench.harness.journal import Journal
from bench.harness.journal_entries import Findings, Started
from bench.measurements import Completed, End, ProcessTiming
from bench.system.state import read_state

CHECK_AFTER_PROCESSES = SHORT.model_copy(update={"check_after_processes": (5, 8), "interval": 0.02})


def at(medians_ms: list[float]) -> list[ProcessTiming]:
    return [process(ms, repetition, passes=1, steps=(0,)) for repetition, ms in enumerate(medians_ms)]


def test_sampling_ends_at_a_look_when_the_interval_is_narrow() -> None:
    narrow = at([10, 10.01, 10, 9.99, 10])

    assert end_of_sampling(narrow, 5, CHECK_AFTER_PROCESSES, out_of_time=False) is End.NARROW


def test_sampling_goes_on_while_the_interval_is_wide_until_the_last_look_or_the_time_limit() -> None:
    wide = at([10, 12, 10, 8, 11])

    assert end_of_sampling(wide, 5, CHECK_AFTER_PROCESSES, out_of_time=False) is None
    assert end_of_sampling(wide, 8, CHECK_AFTER_PROCESSES, out_of_time=False) is End.PROCESSES
    assert end_of_sampling(wide, 5, CHECK_AFTER_PROCESSES, out_of_time=True) is End.TIME


def test_up_to_the_first_look_each_round_has_its_share_of_the_time() -> None:
    findings = Findings()
    findings.apply(Started(case="a", process=process(10, passes=0)))
    limited = CHECK_AFTER_PROCESSES.model_copy(update={"time_limit_s": 5 * 0.09})

    assert findings.spent_s(0) == pytest.approx(0.09)
    assert time_is_up(findings, 0, 0, limited)
    assert not time_is_up(findings, 0, 1, limited)
    assert not time_is_up(findings, 0, 7, limited)


def test_a_single_process_is_quick_and_has_no_interval() -> None:
    assert end_of_sampling(at([10]), 1, SHORT, out_of_time=False) is End.FEW


def test_each_round_is_a_fresh_process_and_cases_take_turns_in_every_sweep(tmp_path: Path) -> None:
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


def test_when_time_is_up_each_process_has_one_turn_and_none_is_added(tmp_path: Path) -> None:
    hasty = SHORT.model_copy(update={"check_after_processes": (2, 4), "time_limit_s": 1e-9, "interval": 1e-9})

    outcome = outcomes_of(plan(tmp_path, [case(tmp_path, "a")], hasty))["a"]

    assert isinstance(outcome, Completed)
    assert [len(one.blocks) for one in outcome.processes] == [1, 1]
    assert outcome.ended is End.TIME


def test_cases_that_do_not_fit_into_memory_together_are_waves(tmp_path: Path) -> None:
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
    changed = outcomes_of(plan(tmp_path, [case(tmp_path, "a", digest="another file")]))["a"]

    assert isinstance(first, Completed)
    assert isinstance(second, Completed)
    assert isinstance(changed, Completed)
    assert (first.predictions_cached_at, second.predictions_cached_at, changed.predictions_cached_at) == (
        None,
        "now",
        None,
    )
    assert second.logits == first.logits
    assert len(list(cache_folder("answers").iterdir())) == 2


def test_fewer_images_are_taken_from_what_is_kept_and_more_are_asked_for(tmp_path: Path) -> None:
    few = plan(tmp_path, [case(tmp_path, "a")], images=2)
    many = plan(tmp_path, [case(tmp_path, "a")], images=6)

    kept = [outcomes_of(planned)["a"] for planned in (few, many, few)]

    assert [len(one.logits) for one in kept] == [2, 6, 2]
    assert [one.predictions_cached_at is None for one in kept] == [True, True, False]


def test_kept_answers_that_are_damaged_are_refused_with_their_file(tmp_path: Path) -> None:
    planned = plan(tmp_path, [case(tmp_path, "a")])
    outcomes_of(planned)
    (place,) = cache_folder("answers").iterdir()
    place.write_text("{")

    with pytest.raises(Exception, match=rf"{place}.*damaged; delete that file"):
        outcomes_of(planned)


def test_sustained_runs_each_case_for_as_long_as_was_asked(tmp_path: Path) -> None:
    outcomes = outcomes_of(plan(tmp_path, [case(tmp_path, "a")], sustained_s=1.5))

    assert isinstance(outcomes["a"], Completed)
    run = outcomes["a"].sustained
    assert run is not None
    assert sum(block.counters.elapsed_ns for block in run.blocks if block.counters) >= 1.5e9
    assert isinstance(outcomes["null"], Completed)
    assert outcomes["null"].sustained is None


class Chip:
    """A thermal zone that cools by `step` degrees whenever somebody sleeps."""

    def __init__(self, degrees: float, step: float) -> None:
        self.degrees, self.step, self.slept_s = degrees, step, 0.0

    def read(self) -> dict[str, float]:
        return {"cpu-thermal (thermal_zone0)": self.degrees}

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.degrees -= self.step


def cooled(tmp_path: Path, chip: Chip, progress: Silent, cool_to_c: float | None = 60) -> None:
    sampling = SHORT.model_copy(update={"cool_to_c": cool_to_c, "cool_limit_s": 30.0})
    with faulty_runtime(), Journal("cool", resume=False) as journal:
        blocks_run = InterleavedRunner(
            plan(tmp_path, [], sampling), journal, progress, chip.sleep, read_state, chip.read
        )
        blocks_run.cool()
        journal.finish()


def test_a_round_waits_until_the_chip_is_as_cool_as_the_profile_wants_it(tmp_path: Path) -> None:
    chip = Chip(degrees=70, step=2)

    cooled(tmp_path, chip, Silent())

    assert chip.slept_s == 5
    assert chip.degrees == 60


def test_a_chip_that_does_not_cool_is_waited_for_no_longer_than_the_limit_and_that_is_said(
    tmp_path: Path,
) -> None:
    chip, progress = Chip(degrees=70, step=0), Silent()

    cooled(tmp_path, chip, progress)

    assert chip.slept_s == 30
    assert progress.sentences == ["still above 60 °C after 30 s; going on"]


def test_a_profile_that_does_not_ask_for_it_waits_for_nothing(tmp_path: Path) -> None:
    chip = Chip(degrees=95, step=1)

    cooled(tmp_path, chip, Silent(), cool_to_c=None)

    assert chip.slept_s == 0
