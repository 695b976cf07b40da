"""The rules for times: what each verdict needs, and how sure all of them are together. Pure.

SAME is a claim for each time alone: two one-sided tests at 5 %, which is a 90 % interval within the limit.
WORSE blocks, so that its errors are limited for all times of a check together, by Holm's procedure. So are
those of BETTER, which blocks nothing and may err more often. Where times are tested after every process, all
errors are spent over these tests.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bench.gate.findings import Verdict
from bench.gate.multiplicity import GAIN_ERROR, SAME_ERROR, TimePlan
from bench.statistics.multiplicity import holm
from bench.statistics.replication import Estimate, Interval
from bench.statistics.shared_variance import share_variances


@dataclass(frozen=True)
class TimeRatio:
    """A time of the candidate ÷ that of the baseline."""

    estimate: Estimate
    """The estimate of its logarithm."""
    processes: int
    """How many processes of each side it is from."""
    limit: float
    """How much larger the candidate's time may be, as a share of the baseline's."""
    shared: Estimate | None = None
    """The estimate with what all variants show together of the differences between processes."""


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
    return [replace(ratio, shared=estimate) for estimate, ratio in zip(shared, ratios, strict=True)]


def judge_times(ratios: Sequence[TimeRatio], plan: TimePlan) -> list[TimeVerdict]:
    """Return the verdict on each time of a check.

    A time is worse only if the whole corrected interval lies above 1 and the ratio exceeds the limit. It is
    the same only if the whole 90 % interval lies within the limit. Better blocks nothing, so that a
    corrected interval below 1 suffices.

    Only SAME uses shared variances. Where variances differ too little to be noticed, the noisier variants'
    errors at one in a thousand would be several times too many; those at one in twenty hardly change.
    """

    def is_slower(place: int, error: float) -> bool:
        return _interval(ratios[place], plan, error).low > 1

    def is_faster(place: int, error: float) -> bool:
        return _interval(ratios[place], plan, error).high < 1

    slower = holm(len(ratios), plan.worse_error, is_slower)
    faster = holm(len(ratios), GAIN_ERROR, is_faster)
    return [_judge(ratio, plan, slower.get(index), faster.get(index)) for index, ratio in enumerate(ratios)]


def _judge(ratio: TimeRatio, plan: TimePlan, slower: float | None, faster: float | None) -> TimeVerdict:
    """Return the verdict. `slower`, `faster`: the error at which that was found, None if it was not."""
    value, upper = math.exp(ratio.estimate.value), 1 + ratio.limit
    narrow = _interval(replace(ratio, estimate=ratio.shared or ratio.estimate), plan, SAME_ERROR)
    if slower is not None and value > upper:
        return TimeVerdict(Verdict.WORSE, value, _interval(ratio, plan, slower), 1 - 2 * slower)
    if 1 / upper <= narrow.low and narrow.high <= upper:
        return TimeVerdict(Verdict.SAME, value, narrow, 1 - 2 * SAME_ERROR)
    if faster is not None:
        return TimeVerdict(Verdict.BETTER, value, _interval(ratio, plan, faster), 1 - 2 * faster)
    return TimeVerdict(Verdict.UNDECIDED, value, narrow, 1 - 2 * SAME_ERROR)


def _interval(ratio: TimeRatio, plan: TimePlan, error: float) -> Interval:
    return ratio.estimate.interval(1 - 2 * plan.level(error, ratio.processes))
