"""Two bundles side by side: what is measured how often and for how long, at invented repetitions."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from making.compared_report import Row, timed
from making.faulty_plan import Silent, pair_of

from bench.gate.findings import Quantity
from bench.gate.multiplicity import MOST_PROCESSES
from bench.gate.paired_runs import MeasuredPair, PairedRuns, latency_ratio
from bench.gate.side_by_side import process_warnings, times_of
from bench.harness.journal_entries import Ended, Examined
from bench.harness.paired_blocks import Pair, PairedRepetition, SideEnded
from bench.harness.plan import Case
from bench.measurements import Failed, FailureKind, ProcessMemory, Skipped, Stage
from bench.statistics.replication import FEWEST_PROCESSES


@dataclass
class Invented:
    """Answers without workers: `ratio` of a repetition by its number; the clock moves `step_s` in each."""

    ratio: Callable[[int], float] = lambda _: 1.0
    step_s: float = 1.0
    now_s: float = 0.0
    tick_s: float = 0.0
    numbers: list[int] = field(default_factory=list)
    limits_s: list[float] = field(default_factory=list)
    examined: int = 0

    def clock(self) -> float:
        self.now_s += self.tick_s
        return self.now_s

    def run_repetition(self, pair: Pair, number: int, limit_s: float) -> PairedRepetition | SideEnded:
        self.numbers.append(number)
        self.limits_s.append(limit_s)
        self.now_s += self.step_s
        baseline, candidate = (
            timed(Row(ms, noise=(1.0,)))[0].model_copy(update={"repetition": number})
            for ms in (10, 10 * self.ratio(number))
        )
        return PairedRepetition(case=pair.id, baseline=baseline, candidate=candidate)

    def examine(self, case_: Case) -> Examined | Ended:
        self.examined += 1
        memory = ProcessMemory(runtime_bytes=1, loaded_bytes=100, peak_bytes=100, proportional_bytes=None)
        return Examined(
            case=case_.id, runtime="t", memory=memory, logits=None, executed=None, predictions_cached_at=None
        )


def stage(invented: Invented, seconds: float = 20) -> PairedRuns:
    return PairedRuns(
        run_repetition=invented.run_repetition,
        examine_case=invented.examine,
        examine_memory=invented.examine,
        expect=lambda _case, _examined: None,
        progress=Silent(),
        seconds=seconds,
        clock=invented.clock,
    )


def none_open() -> dict[str, bool]:
    return {}


@pytest.fixture
def other(tmp_path: Path) -> Pair:
    return pair_of(tmp_path, "onnx-int8")


def test_what_is_decided_at_the_first_check_is_measured_no_longer(pair: Pair) -> None:
    invented = Invented()
    measured = stage(invented).examine([pair])

    stage(invented).time(measured, none_open)

    assert len(measured[0].repetitions) == FEWEST_PROCESSES


def test_what_is_not_decided_goes_on_to_the_last_check(pair: Pair) -> None:
    invented = Invented()
    measured = stage(invented, seconds=999).examine([pair])

    stage(invented, seconds=999).time(measured, lambda: {pair.id: False})

    assert len(measured[0].repetitions) == MOST_PROCESSES


def test_an_open_pair_gets_the_seconds_that_a_decided_one_leaves(pair: Pair, other: Pair) -> None:
    measured = stage(invented := Invented(), seconds=15).examine([pair, other])

    stage(invented, seconds=15).time(measured, lambda: {other.id: False})

    assert [len(one.repetitions) for one in measured] == [FEWEST_PROCESSES, 30 - FEWEST_PROCESSES]


def test_what_the_other_pairs_show_may_open_a_decided_pair_again(pair: Pair, other: Pair) -> None:
    measured = stage(invented := Invented(), seconds=20).examine([pair, other])

    def still_open() -> dict[str, bool]:
        first, second = (len(one.repetitions) for one in measured)
        return {other.id: False} if second < 8 else {pair.id: False} if first < 7 else {}

    stage(invented, seconds=20).time(measured, still_open)

    assert [len(one.repetitions) for one in measured] == [7, 8]


def test_a_pair_that_seems_worse_gets_more_time_and_another_does_not(pair: Pair, other: Pair) -> None:
    measured = stage(invented := Invented(), seconds=6).examine([pair, other])
    stage(invented, seconds=6).time(measured, lambda: {pair.id: False, other.id: True})

    assert [len(one.repetitions) for one in measured] == [6, 24]


def test_pairs_get_the_same_time_and_not_the_same_number_of_processes(pair: Pair, other: Pair) -> None:
    measured = stage(invented := Uneven(slow=pair.id, slow_s=4.0)).examine([pair, other])
    stage(invented, seconds=20).time(measured, lambda: {pair.id: False, other.id: False})

    assert [len(one.repetitions) for one in measured] == [5, 20]


def test_it_stops_in_time_but_not_before_the_first_check(pair: Pair) -> None:
    slow = Invented(step_s=10)
    measured = stage(slow, seconds=7).examine([pair])

    stage(slow, seconds=7).time(measured, lambda: {pair.id: False})

    assert len(measured[0].repetitions) == FEWEST_PROCESSES


def test_while_everything_takes_too_long_each_process_has_one_block(pair: Pair) -> None:
    slow = Invented(step_s=8, tick_s=0.001)
    measured = stage(slow, seconds=20).examine([pair])

    stage(slow, seconds=20).time(measured, lambda: {pair.id: False})

    assert slow.limits_s == [2.0, 0.0, 0.0, 0.0, 0.0]


def test_one_slow_process_costs_no_other_its_blocks_for_long(pair: Pair) -> None:
    times = iter([12.0, 1.0, 1.0, 1.0, 1.0])

    class SlowAtFirst(Invented):
        def run_repetition(self, pair: Pair, number: int, limit_s: float) -> PairedRepetition | SideEnded:
            self.step_s = next(times)
            return super().run_repetition(pair, number, limit_s)

    measured = stage(invented := SlowAtFirst()).examine([pair])
    stage(invented).time(measured, none_open)

    assert invented.limits_s == [2.0, 0.0, 0.0, 2.0, 2.0]


@dataclass
class Uneven(Invented):
    """Rounds of one pair take so long, those of all others a second; its ratios lie `apart` each."""

    slow: str = ""
    slow_s: float = 30.0
    apart: float = 1.0
    fought: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def run_repetition(self, pair: Pair, number: int, limit_s: float) -> PairedRepetition | SideEnded:
        is_slow = pair.id == self.slow
        self.step_s = self.slow_s if is_slow else 1.0
        self.ratio = (lambda number: self.apart**number) if is_slow else (lambda _: 1.0)
        self.fought[pair.id].append(limit_s)
        return super().run_repetition(pair, number, limit_s)


def test_a_pair_that_takes_too_long_costs_the_others_no_blocks(pair: Pair, other: Pair) -> None:
    measured = stage(invented := Uneven(slow=pair.id)).examine([pair, other])
    stage(invented).time(measured, none_open)

    assert invented.fought == {pair.id: [2.0, 0.0, 0.0, 0.0, 0.0], other.id: [2.0] * 5}


def test_a_late_pair_whose_processes_lie_far_apart_is_given_up_after_three(pair: Pair, other: Pair) -> None:
    measured = stage(invented := Uneven(slow=pair.id, apart=1.5)).examine([pair, other])
    stage(invented).time(measured, none_open)

    assert [len(one.repetitions) for one in measured] == [3, 5]
    times = times_of(measured[0], Quantity.LATENCY)
    assert times is not None
    assert isinstance(times.ratio, str)
    assert "3 processes of each side ran over their time" in times.ratio


def test_where_no_other_pair_waits_none_is_given_up(pair: Pair) -> None:
    measured = stage(invented := Uneven(slow=pair.id, apart=1.5)).examine([pair])
    stage(invented).time(measured, none_open)

    assert latency_ratio(measured[0].repetitions) is not None


def test_processes_that_lie_far_apart_are_no_reason_while_there_is_time(pair: Pair, other: Pair) -> None:
    measured = stage(invented := Uneven(slow=pair.id, slow_s=1.0, apart=1.5)).examine([pair, other])
    stage(invented).time(measured, none_open)

    assert [len(one.repetitions) for one in measured] == [5, 5]


def test_equal_files_are_examined_once(pair: Pair) -> None:
    invented = Invented()

    (measured,) = stage(invented).examine([Pair(pair.baseline, pair.baseline)])
    stage(invented).examine([pair])

    assert invented.examined == 1 + 2
    assert measured.candidate == measured.baseline


def test_a_suspected_peak_is_read_again_in_four_processes_of_each_side(pair: Pair) -> None:
    peaks: Iterator[int] = iter([100, 130, *[101, 102] * 4])

    class Growing(Invented):
        def examine(self, case_: Case) -> Examined | Ended:
            found = super().examine(case_)
            assert isinstance(found, Examined)
            memory = found.memory.model_copy(update={"peak_bytes": next(peaks)})
            return found.model_copy(update={"memory": memory})

    both = stage(Growing())
    (measured,) = both.examine([pair])
    before = measured.peaks_bytes(False), measured.peaks_bytes(True)
    both.confirm_memory([measured])

    assert before == ((100,), (130,))
    assert measured.peaks_bytes(False) == (101,) * 4
    assert measured.peaks_bytes(True) == (102,) * 4


def test_a_side_that_dies_ends_its_paired_run(pair: Pair) -> None:
    died = Failed(stage=Stage.TIMING, kind=FailureKind.CRASH, message="died")

    @dataclass
    class Dying(Invented):
        deadly: tuple[int, ...] = (2,)

        def run_repetition(self, pair: Pair, number: int, limit_s: float) -> PairedRepetition | SideEnded:
            found = super().run_repetition(pair, number, limit_s)
            return SideEnded(True, died) if number in self.deadly else found

    invented = Dying()
    measured = stage(invented).examine([pair])
    stage(invented).time(measured, lambda: {pair.id: False})

    assert invented.numbers == [0, 1, 2, 2]
    assert isinstance(measured[0].candidate, Ended)
    assert not measured[0].runs


def test_a_death_that_does_not_happen_again_does_not_count(pair: Pair) -> None:
    died = Failed(stage=Stage.TIMING, kind=FailureKind.KILLED, message="was killed")

    class DyingOnce(Invented):
        def run_repetition(self, pair: Pair, number: int, limit_s: float) -> PairedRepetition | SideEnded:
            found = super().run_repetition(pair, number, limit_s)
            return SideEnded(False, died) if self.numbers == [0, 1] else found

    measured = stage(invented := DyingOnce()).examine([pair])
    stage(invented).time(measured, none_open)

    assert measured[0].runs
    assert process_warnings(measured) == [
        (
            "onnx-fp32: the baseline failed in 1 of 5 processes, and ran when started again (killed in "
            "stage timing: was killed)"
        )
    ]
    assert [one.baseline.repetition for one in measured[0].repetitions] == [0, 1, 2, 3, 4]


def test_a_block_in_which_everything_stood_still_every_time_is_said(pair: Pair) -> None:
    class Stopped(Invented):
        def run_repetition(self, pair: Pair, number: int, limit_s: float) -> PairedRepetition | SideEnded:
            found = super().run_repetition(pair, number, limit_s)
            assert isinstance(found, PairedRepetition)
            blocks = [block.model_copy(update={"stopped_ns": 1}) for block in found.baseline.blocks[:1]]
            blocks += found.baseline.blocks[1:]
            baseline = found.baseline.model_copy(update={"blocks": tuple(blocks)})
            return found.model_copy(update={"baseline": baseline})

    measured = stage(invented := Stopped()).examine([pair])
    stage(invented).time(measured, none_open)

    (sentence,) = process_warnings(measured)
    assert sentence.startswith("everything stood still in 5 of ")


def test_measured_pairs_know_whether_both_sides_run(pair: Pair) -> None:
    runs = Invented().examine(pair.baseline)
    ended = Ended(case="onnx-fp32", outcome=Skipped(reason="no runtime"))

    assert MeasuredPair(pair, runs, runs).runs
    assert not MeasuredPair(pair, runs, ended).runs
