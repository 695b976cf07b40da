"""Which pair is timed next, and when it is enough."""

from dataclasses import dataclass

import pytest

from bench.gate.next_pair import next_pair


@dataclass(frozen=True)
class Known:
    """What is known of an invented pair."""

    id: str
    processes: int = 5
    seconds_spent: float = 5.0
    runs: bool = True
    is_scattered: bool = False


def test_of_open_pairs_the_one_with_the_least_time_is_next() -> None:
    pairs = [Known("a", seconds_spent=6), Known("b", seconds_spent=5), Known("c", seconds_spent=4)]

    chosen = next_pair(pairs, {"a": False, "b": False}, elapsed_s=15, seconds=20)

    assert chosen is pairs[1]


def test_a_pair_without_an_estimate_is_timed_though_the_time_is_over() -> None:
    pairs = [Known("a", processes=4), Known("b")]

    assert next_pair(pairs, {"b": False}, elapsed_s=99, seconds=20) is pairs[0]


@pytest.mark.parametrize(
    ("elapsed_s", "spent_s", "is_timed"),
    [(45, 25, True), (45, 79, True), (45, 81, False), (239, 25, True), (241, 25, False)],
)
def test_a_pair_that_seems_worse_gets_a_limited_time_more(
    elapsed_s: float, spent_s: float, is_timed: bool
) -> None:
    pairs = [Known("a", seconds_spent=spent_s), Known("b")]

    chosen = next_pair(pairs, {"a": True, "b": False}, elapsed_s, seconds=20)

    assert chosen is (pairs[0] if is_timed else None)


@pytest.mark.parametrize(("elapsed_s", "is_timed"), [(459, True), (461, False)])
def test_one_of_many_pairs_that_seems_worse_gets_time_beyond_theirs(elapsed_s: float, is_timed: bool) -> None:
    pairs = [Known(str(number), seconds_spent=21) for number in range(20)]

    chosen = next_pair(pairs, {"7": True}, elapsed_s, seconds=20)

    assert chosen is (pairs[7] if is_timed else None)


def test_a_pair_whose_first_two_processes_differ_and_took_long_is_dropped_for_the_others() -> None:
    slow = Known("a", processes=2, seconds_spent=25, is_scattered=True)
    pairs = [slow, Known("b", processes=4, seconds_spent=30)]

    assert next_pair(pairs, {}, elapsed_s=55, seconds=20) is pairs[1]


def test_what_ended_or_has_the_most_processes_is_timed_no_more() -> None:
    pairs = [Known("a", runs=False, processes=2), Known("b", processes=30)]

    assert next_pair(pairs, {"b": False}, elapsed_s=1, seconds=20) is None
