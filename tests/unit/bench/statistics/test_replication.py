"""Intervals over processes: a fresh process is the unit, and five of them are the fewest."""

import numpy as np
import pytest
from making.tiny_report import process
from scipy.stats import t

from bench.statistics import processes
from bench.statistics.replication import Estimate, median_interval, ratio_of_pairs, t_quantile


@pytest.mark.parametrize("share", [0.75, 0.975, 0.99, 0.9972, 0.9999])
def test_students_t_is_scipys_to_four_digits(share: float) -> None:
    here = [t_quantile(share, freedom) for freedom in (*range(1, 61), 1000)]

    assert here == [round(float(t.ppf(share, freedom)), 4) for freedom in (*range(1, 61), 1000)]


def test_beyond_a_thousand_degrees_of_freedom_students_t_is_the_normals() -> None:
    assert t_quantile(0.975, 1001) == 1.96


def test_a_higher_confidence_is_a_wider_interval_around_the_same_value() -> None:
    estimate = Estimate(value=0.0, mean=0.0, error=0.01, freedom=4)

    assert estimate.interval(0.99).half_width == pytest.approx(t.ppf(0.995, 4) * 0.01, rel=1e-4)
    assert estimate.interval(0.99).low < estimate.interval().low < 1 < estimate.interval().high


def test_a_quotient_has_both_errors_and_welchs_degrees_of_freedom() -> None:
    quotient = Estimate(0.3, 0.31, 0.03, 4).less(Estimate(0.1, 0.1, 0.04, 7))

    assert [quotient.value, quotient.mean] == pytest.approx([0.2, 0.21])
    assert quotient.error == pytest.approx(0.05)
    assert quotient.freedom == int(0.05**4 / (0.03**4 / 4 + 0.04**4 / 7))


def test_four_processes_give_no_interval() -> None:
    assert median_interval(10, [10, 10, 10, 10]) is None


def test_the_interval_is_as_wide_as_the_processes_differ() -> None:
    interval = median_interval(10, [9.9, 9.9, 10, 10.1, 10.1])

    assert interval is not None
    assert interval.low < 10 < interval.high
    assert interval.half_width == pytest.approx(2.7764 * 0.01 / np.sqrt(5), rel=0.01)


def test_the_interval_holds_the_truth_19_times_in_20() -> None:
    random = np.random.default_rng(3)
    held = 0
    for _ in range(2000):
        levels = np.exp(random.normal(0, 0.02, 5)) * 10
        interval = median_interval(float(np.median(levels)), list(levels))
        held += interval is not None and interval.low <= 10 <= interval.high

    assert 0.93 <= held / 2000 <= 0.98


def test_a_ratio_is_paired_so_that_what_hits_both_sides_cancels() -> None:
    noise = [1.0, 1.5, 1.0, 1.6, 1.2]
    fast = [process(4 * factor, repetition, steps=(0,)) for repetition, factor in enumerate(noise)]
    slow = [
        one.model_copy(
            update={
                "blocks": tuple(
                    block.model_copy(update={"ns": tuple(2 * ns for ns in block.ns)}) for block in one.blocks
                )
            }
        )
        for one in fast
    ]

    ratio = processes.ratio(fast, slow)

    assert ratio is not None
    assert ratio.value == pytest.approx(0.5)
    assert ratio.interval is not None
    assert ratio.interval.half_width == pytest.approx(0, abs=1e-6)


def test_a_pass_in_which_the_machine_changed_speed_does_not_count() -> None:
    ratio = ratio_of_pairs([[0.0, 0.0, 0.4, 0.0, -0.4]] * 5)

    assert ratio is not None
    assert ratio.value == 1.0


def test_cases_that_were_never_interleaved_have_no_ratio() -> None:
    other_group = process(4).model_copy(update={"group": 1})

    assert processes.ratio([process(4)], [other_group]) is None
    assert processes.ratio([process(4, repetition=0)], [process(4, repetition=1)]) is None


def test_a_round_that_was_resumed_counts_once() -> None:
    four = [process(10, repetition) for repetition in range(4)]

    assert processes.interval_of_median([*four, process(10, repetition=3)]) is None
    assert processes.interval_of_median([*four, process(10, repetition=4)]) is not None
