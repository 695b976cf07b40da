"""The rules by which a quantity of a candidate is held against the baseline's. Pure: values in and out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.gate.findings import Verdict
from bench.statistics.accuracy import Paired
from bench.statistics.replication import Estimate, Interval

_FAMILY_ERROR = 0.05
# A ratio that lies above 1 by so much of what would be found worse is found so by one second look in six to
# ten, were it the true one (noncentral t, 8 to 50 processes, 1 to 9 comparisons); most suspects are less.
_HOPE = 0.5
LOSS_ERROR = 0.1


def corrected_confidence(comparisons: int) -> float:
    """Return the confidence of each of so many intervals that all hold together with 95 % (Bonferroni)."""
    return 1 - _FAMILY_ERROR / max(1, comparisons)


@dataclass(frozen=True)
class Judged:
    """A verdict on a ratio of candidate to baseline, and the interval that it rests on."""

    verdict: Verdict
    ratio: float
    interval: Interval


def judge_estimate(estimate: Estimate, limit: float, confidence: float) -> Judged:
    """Judge a ratio that is known to an interval, such as that of two latencies.

    Worse only if the whole interval lies above 1 and the estimate beyond the limit; the same only if the
    whole interval lies within it. Better blocks nothing, and so needs no more than an interval below 1 that
    is not the same.
    """
    ratio, interval = math.exp(estimate.value), estimate.interval(confidence)
    upper, lower = 1 + limit, 1 / (1 + limit)
    if interval.low > 1 and ratio > upper:
        return Judged(Verdict.WORSE, ratio, interval)
    if lower <= interval.low and interval.high <= upper:
        return Judged(Verdict.SAME, ratio, interval)
    if interval.high < 1:
        return Judged(Verdict.BETTER, ratio, interval)
    return Judged(Verdict.UNDECIDED, ratio, interval)


def may_be_found_worse(estimate: Estimate, processes: int, confidence: float) -> bool:
    """Tell whether fresh processes, so many of each side, may find worse what is suspected by `estimate`.

    Where the interval that they are to expect is much wider than the ratio is high, they would not.
    """
    return estimate.value > _HOPE * estimate.half_width(processes, confidence)


def judge_value(ratio: float, limit: float) -> Verdict:
    """Judge a ratio that is known exactly, such as that of two sizes."""
    if ratio > 1 + limit:
        return Verdict.WORSE
    return Verdict.BETTER if ratio < 1 / (1 + limit) else Verdict.SAME


def judge_memory(baseline: Sequence[int], candidate: Sequence[int], limit: float) -> Verdict:
    """Judge peaks in bytes, one of each fresh process.

    What several processes say is worse, or better, only if no two of the two sides overlap.
    """
    verdict = judge_value(median(candidate) / median(baseline), limit)
    apart = min(candidate) > max(baseline) or max(candidate) < min(baseline)
    return verdict if apart or verdict is Verdict.SAME else Verdict.UNDECIDED


def judge_accuracy(paired: Paired, min_retention: float, comparisons: int) -> Verdict:
    """Judge which images the candidate (`variant` in Paired) and the baseline get right.

    Below the limit it is worse if the exact paired test leaves a chance of at most one in ten that the two
    are alike, one-sided: to let a loss pass costs more here than to look at one in vain. Better needs the
    two-sided test at 5 %, corrected for the number of comparisons.
    """
    kept = paired.retention
    if kept is None:
        return Verdict.INCOMPARABLE
    if kept < min_retention:
        return Verdict.WORSE if paired.loss_p() <= LOSS_ERROR else Verdict.UNDECIDED
    significant = paired.mcnemar_p() * comparisons < _FAMILY_ERROR
    return Verdict.BETTER if significant and kept > 1 else Verdict.SAME
