"""What a run says of its time before it begins."""

from dataclasses import replace

from making.tiny_report import case_of

from bench.harness.plan import Plan
from bench.run.announced_time import sentence_on_time
from device_profiles.loading import load_profile

TWO = Plan(cases=(case_of("a"), case_of("b")), controls=(), sampling=load_profile("laptop-cpu").sampling)


def test_a_run_says_how_long_it_measures_and_how_to_change_that() -> None:
    limit_s = TWO.sampling.time_limit_s

    assert sentence_on_time(TWO).startswith(
        f"the latency of 2 variants takes up to {limit_s:g} s (--seconds changes that), and more only if "
        "5 processes of each take longer"
    )
    assert "up to 20 s (" in sentence_on_time(replace(TWO, seconds=20))


def test_a_board_that_cools_first_takes_longer_and_the_run_says_so() -> None:
    board = replace(TWO, sampling=load_profile("raspberry-pi-4").sampling)

    assert "takes up to 600 s, cooling not counted (" in sentence_on_time(board)
