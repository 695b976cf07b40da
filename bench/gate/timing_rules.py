"""The rules for times: what each verdict needs, and how sure all of them are together. Pure.

SAME is a claim for each time alone: two one-sided tests at 5 %, which is a 90 % interval within the limit.
WORSE blocks, so that its errors are limited for all times of a check together, by Holm's procedure. Where
times are tested after every process, both errors are spent over these tests.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.gate.findings import Verdict
from bench.statistics.replication import FEWEST_PROCESSES, Estimate, Interval
from bench.statistics.sequential import nominal_errors
from bench.statistics.shared_variance import share_variances

MOST_PROCESSES = 50
CHECK_AFTER_PROCESSES = tuple(range(FEWEST_PROCESSES, MOST_PROCESSES + 1))
"""The numbers of processes after which paired runs are tested."""
_SAME_ERROR = 0.05


@dataclass(frozen=True)
class TimePlan:
    """How sure the verdicts on times have to be."""

    worse_error: float
    """The one-sided error of all WORSE times of a check together; that of BETTER is the same."""
    check_after_processes: tuple[int, ...] = ()
    """The numbers of processes after which times are tested; empty if they are tested once."""

    def level(self, error: float, processes: int) -> float:
        """Return the one-sided error of one test, so that those after all processes err with `error`."""
        if not self.check_after_processes:
            return error
        return nominal_errors(error, self.check_after_processes)[self.check_after_processes.index(processes)]


PAIRED = TimePlan(worse_error=0.005, check_after_processes=CHECK_AFTER_PROCESSES)
"""Of checks in which nothing changed, one of 200 calls a time WORSE."""
TWO_REPORTS = TimePlan(worse_error=0.025)
"""What two reports show of their times is tested once, and cannot be measured again: one of 40 errs."""


@dataclass(frozen=True)
class TimeRatio:
    """A time of the candidate ÷ that of the baseline."""

    estimate: Estimate
    """The estimate of its logarithm."""
    processes: int
    """How many processes of each side it is from."""
    limit: float
    """How much larger the candidate's time may be, as a share of the baseline's."""


@dataclass(frozen=True)
class TimeVerdict:
    """The verdict on a time."""

    verdict: Verdict
    """How the time changed."""
    ratio: float
    """Candidate ÷ baseline."""
    interval: Interval
    """The interval that the verdict rests on."""
    confidence: float
    """The interval's confidence over all its tests; corrected for the number of times if worse or better."""


def with_shared_variances(ratios: Sequence[TimeRatio]) -> list[TimeRatio]:
    """Return ratios of one quantity with what they show together of the differences between processes."""
    shared = share_variances([ratio.estimate for ratio in ratios])
    return [
        TimeRatio(estimate, ratio.processes, ratio.limit)
        for estimate, ratio in zip(shared, ratios, strict=True)
    ]


def judge_times(ratios: Sequence[TimeRatio], plan: TimePlan) -> list[TimeVerdict]:
    """Return the verdict on each time of a check.

    A time is worse only if the whole corrected interval lies above 1 and the ratio exceeds the limit. It is
    the same only if the whole 90 % interval lies within the limit. Better blocks nothing, so that a
    corrected interval below 1 suffices.
    """

    def is_slower(ratio: TimeRatio, error: float) -> bool:
        return _interval(ratio, plan, error).low > 1

    def is_faster(ratio: TimeRatio, error: float) -> bool:
        return _interval(ratio, plan, error).high < 1

    slower = _rejected_by_holm(ratios, plan.worse_error, is_slower)
    faster = _rejected_by_holm(ratios, plan.worse_error, is_faster)
    return [_judge(ratio, plan, slower.get(index), faster.get(index)) for index, ratio in enumerate(ratios)]


def _judge(ratio: TimeRatio, plan: TimePlan, slower: float | None, faster: float | None) -> TimeVerdict:
    """Return the verdict. `slower`, `faster`: the error at which that was found, None if it was not."""
    value, upper = math.exp(ratio.estimate.value), 1 + ratio.limit
    narrow = _interval(ratio, plan, _SAME_ERROR)
    if slower is not None and value > upper:
        return TimeVerdict(Verdict.WORSE, value, _interval(ratio, plan, slower), 1 - 2 * slower)
    if 1 / upper <= narrow.low and narrow.high <= upper:
        return TimeVerdict(Verdict.SAME, value, narrow, 1 - 2 * _SAME_ERROR)
    if faster is not None:
        return TimeVerdict(Verdict.BETTER, value, _interval(ratio, plan, faster), 1 - 2 * faster)
    return TimeVerdict(Verdict.UNDECIDED, value, narrow, 1 - 2 * _SAME_ERROR)


def _interval(ratio: TimeRatio, plan: TimePlan, error: float) -> Interval:
    return ratio.estimate.interval(1 - 2 * plan.level(error, ratio.processes))


def _rejected_by_holm(
    ratios: Sequence[TimeRatio], error: float, is_rejected: Callable[[TimeRatio, float], bool]
) -> dict[int, float]:
    """Return the places of the rejected hypotheses, with the error at which each was rejected.

    Holm, Scandinavian Journal of Statistics 6, 1979; each rejection leaves more of the error to the others.
    """
    rejected: dict[int, float] = {}
    while len(rejected) < len(ratios):
        level = error / (len(ratios) - len(rejected))
        new = [
            index for index, ratio in enumerate(ratios) if index not in rejected and is_rejected(ratio, level)
        ]
        if not new:
            break
        rejected.update(dict.fromkeys(new, level))
    return rejected
