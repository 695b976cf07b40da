"""When sampling of a case ends, and how a run is resumed."""

from dataclasses import replace
from pathlib import Path

from making.faulty_plan import SHORT, Silent, case, faulty_runtime, plan
from making.tiny_report import process

from bench.harness.interleaving import InterleavedRunner, end_of_sampling, latest
from bench.harness.journal import Journal
from bench.harness.journal_entries import JournalState, ProcessStarted
from bench.harness.time_limit import Stopwatch
from bench.measurements import End, ProcessTiming
from bench.system.state import read_state

CHECK_AFTER_PROCESSES = SHORT.model_copy(update={"check_after_processes": (5, 8), "interval": 0.02})


def at(medians_ms: list[float]) -> list[ProcessTiming]:
    return [process(ms, repetition, passes=1, steps=(0,)) for repetition, ms in enumerate(medians_ms)]


def test_sampling_ends_at_a_check_when_the_interval_is_narrow() -> None:
    narrow = at([10, 10.01, 10, 9.99, 10])

    assert end_of_sampling(narrow, 5, CHECK_AFTER_PROCESSES, out_of_time=False) is End.NARROW


def test_a_wide_interval_is_sampled_to_the_last_check_or_time_limit() -> None:
    wide = at([10, 12, 10, 8, 11])

    assert end_of_sampling(wide, 5, CHECK_AFTER_PROCESSES, out_of_time=False) is None
    assert end_of_sampling(wide, 8, CHECK_AFTER_PROCESSES, out_of_time=False) is End.PROCESSES
    assert end_of_sampling(wide, 5, CHECK_AFTER_PROCESSES, out_of_time=True) is End.TIME


def test_a_single_process_is_quick_and_has_no_interval() -> None:
    assert end_of_sampling(at([10]), 1, SHORT, out_of_time=False) is End.FEW


def test_progress_shows_the_latest_block_and_whether_it_is_of_a_proxy(tmp_path: Path) -> None:
    state = JournalState()
    measured = case(tmp_path, "a")
    assert latest(measured, state) == "a"

    state.apply(ProcessStarted(case="a", process=process(10, passes=1, steps=(0,))))

    assert latest(measured, state) == "a 10.00 ms"
    assert latest(replace(measured, is_proxy=True), state) == "a 10.00 ms (proxy)"


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


def test_a_chip_that_does_not_cool_is_waited_for_until_the_limit(
    tmp_path: Path,
) -> None:
    chip, progress = Chip(degrees=70, step=0), Silent()

    cooled(tmp_path, chip, progress)

    assert chip.slept_s == 30
    assert progress.sentences == ["the machine is still above 60 °C after 30 s of cooling; measuring goes on"]


def test_waiting_for_a_cool_chip_takes_nothing_of_the_time_for_latencies(tmp_path: Path) -> None:
    now = [0.0]
    chip = Chip(degrees=70, step=2)

    def sleep(seconds: float) -> None:
        now[0] += seconds
        chip.sleep(seconds)

    sampling = SHORT.model_copy(update={"cool_to_c": 60.0})
    with faulty_runtime(), Journal("cool", resume=False) as journal:
        planned = plan(tmp_path, [], sampling)
        stopwatch = Stopwatch(lambda: now[0])
        stopwatch.start(used_s=1)
        InterleavedRunner(planned, journal, Silent(), sleep, read_state, chip.read, stopwatch).cool()
        journal.finish()

    assert now[0] == 5
    assert stopwatch.used_s == 1


def test_a_profile_that_does_not_ask_for_it_waits_for_nothing(tmp_path: Path) -> None:
    chip = Chip(degrees=95, step=1)

    cooled(tmp_path, chip, Silent(), cool_to_c=None)

    assert chip.slept_s == 0
