"""What a verdict on a time needs, and how all times of a check are corrected together."""

import math

import numpy as np
import pytest

from bench.gate.findings import Verdict
from bench.gate.multiplicity import PAIRED, TWO_REPORTS, TimePlan
from bench.gate.timing_rules import TimeRatio, judge_times, with_shared_variances
from bench.statistics.replication import Estimate, trimmed_estimate


def ratio(value: float, error: float, limit: float = 0.05) -> TimeRatio:
    return TimeRatio(Estimate(math.log(value), math.log(value), error, 7), 8, limit)


def verdicts(*ratios: TimeRatio, plan: TimePlan = TWO_REPORTS) -> list[Verdict]:
    return [one.verdict for one in judge_times(ratios, plan)]


@pytest.mark.parametrize(
    ("value", "error", "verdict"),
    [
        (1.10, 0.01, Verdict.WORSE),
        (1.10, 0.06, Verdict.UNDECIDED),  # the interval reaches below 1
        (1.04, 0.001, Verdict.SAME),  # surely slower, and within the limit
        (1.04, 0.01, Verdict.UNDECIDED),  # above 1, the estimate within the limit, and the interval not
        (1.00, 0.01, Verdict.SAME),
        (1.00, 0.04, Verdict.UNDECIDED),
        (0.90, 0.01, Verdict.BETTER),
        (0.96, 0.01, Verdict.BETTER),  # surely faster, perhaps by more than the limit
        (0.97, 0.005, Verdict.SAME),
    ],
)
def test_a_time_is_worse_only_if_interval_and_estimate_say_so(
    value: float, error: float, verdict: Verdict
) -> None:
    assert verdicts(ratio(value, error)) == [verdict]


def test_worse_is_corrected_for_the_number_of_times_and_same_is_not() -> None:
    slower, equal = ratio(1.1, 0.033), ratio(1.0, 0.02)

    assert verdicts(slower, equal) == [Verdict.WORSE, Verdict.SAME]
    assert verdicts(slower, *[equal] * 8) == [Verdict.UNDECIDED, *[Verdict.SAME] * 8]


def test_each_time_that_is_worse_leaves_its_error_to_the_others() -> None:
    """Holm: the second is tested at the whole error once the first is worse."""
    clear, less_clear = ratio(1.5, 0.01), ratio(1.1, 0.035)

    assert verdicts(clear, less_clear) == [Verdict.WORSE, Verdict.WORSE]
    assert verdicts(ratio(1.0, 0.01), less_clear) == [Verdict.SAME, Verdict.UNDECIDED]


def test_a_claim_that_is_tested_after_every_process_has_to_be_surer() -> None:
    narrow = ratio(1.0, 0.02)

    (once,), (often,) = judge_times([narrow], TWO_REPORTS), judge_times([narrow], PAIRED)

    assert once.confidence == often.confidence == 0.9
    assert often.interval.half_width > 1.3 * once.interval.half_width


def test_the_interval_of_a_verdict_is_the_one_that_it_rests_on() -> None:
    worse, same = judge_times([ratio(1.1, 0.01), ratio(1.0, 0.01)], TWO_REPORTS)

    assert worse.confidence == pytest.approx(0.975)  # 2.5 % for two times
    assert worse.interval.low > 1
    assert same.confidence == 0.9


def test_five_equal_processes_say_more_beside_others_that_differ_as_little() -> None:
    random = np.random.default_rng(3)
    found = [trimmed_estimate(logs) for logs in random.normal(0, 0.01, (9, 5)).tolist()]
    few = [TimeRatio(one, 5, 0.05) for one in found if one]

    alone = [judge_times([one], PAIRED)[0].interval.half_width for one in few]
    together = [one.interval.half_width for one in judge_times(with_shared_variances(few), PAIRED)]

    assert max(together) < 0.7 * max(alone)


def test_equal_sides_are_rarely_called_worse_and_slower_ones_nearly_always() -> None:
    """A few hundred runs; `tests/benchmarks/gate_simulation.py` has ten thousand of many kinds."""
    random = np.random.default_rng(5)

    def share_worse(shift: float) -> float:
        runs = 300
        return sum(_ends_worse(random, shift) for _ in range(runs)) / runs

    assert share_worse(0.0) <= 0.02
    assert share_worse(math.log(1.1)) >= 0.97


def _ends_worse(random: np.random.Generator, shift: float) -> bool:
    logs = random.normal(shift, 0.02, (2, 20))
    for count in range(5, 21):
        found = [trimmed_estimate(row[:count].tolist()) for row in logs]
        ratios = with_shared_variances([TimeRatio(one, count, 0.05) for one in found if one])
        verdicts = [one.verdict for one in judge_times(ratios, PAIRED)]
        if Verdict.WORSE in verdicts:
            return True
        if Verdict.UNDECIDED not in verdicts:
            return False
    return False
