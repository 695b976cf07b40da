"""When the time of a group is over."""

import pytest

from bench.harness.time_limit import Stopwatch, TimeLimit

LIMIT = TimeLimit(seconds=50, fewest=5)


class Wall:
    """A clock that is set."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_stopwatch_goes_on_after_an_interruption_and_leaves_out_pauses() -> None:
    wall = Wall()
    stopwatch = Stopwatch(wall)
    stopwatch.start(used_s=7)

    wall.now += 20
    stopwatch.leave_out(15)

    assert stopwatch.used_s == pytest.approx(12)


@pytest.mark.parametrize(("used_s", "repetition", "is_up"), [(9, 0, False), (10, 0, True), (10, 1, False)])
def test_up_to_the_first_check_each_process_has_its_share(
    used_s: float, repetition: int, is_up: bool
) -> None:
    assert LIMIT.is_up(used_s, repetition) is is_up


@pytest.mark.parametrize("repetition", [4, 5, 19])
def test_after_the_first_check_the_whole_time_counts(repetition: int) -> None:
    assert not LIMIT.is_up(49.9, repetition)
    assert LIMIT.is_up(50, repetition)


def test_the_fewest_processes_run_however_long_they_take() -> None:
    assert not LIMIT.ends_after(1000, repetitions=4)
    assert LIMIT.ends_after(1000, repetitions=5)


def test_no_further_process_starts_that_would_end_too_late() -> None:
    assert not LIMIT.ends_after(41, repetitions=5)
    assert LIMIT.ends_after(42, repetitions=5)
