"""The rules that compare a candidate's quantity with the baseline's. Pure: values in, verdicts out."""

from collections.abc import Sequence
from statistics import median

from bench.gate.findings import Verdict
from bench.statistics.accuracy import least_agreement
from bench.statistics.replication import Interval


def judge_value(ratio: float, limit: float) -> Verdict:
    """Judge a ratio that is known exactly, such as that of two sizes."""
    if ratio > 1 + limit:
        return Verdict.WORSE
    return Verdict.BETTER if ratio < 1 / (1 + limit) else Verdict.SAME


def judge_memory(baseline: Sequence[int], candidate: Sequence[int], limit: float) -> Verdict:
    """Judge memory peaks in bytes, one for each fresh process.

    They are worse, or better, only if the peaks of the two sides do not overlap.
    """
    verdict = judge_value(median(candidate) / median(baseline), limit)
    are_apart = min(candidate) > max(baseline) or max(candidate) < min(baseline)
    return verdict if are_apart or verdict is Verdict.SAME else Verdict.UNDECIDED


def judge_accuracy(
    retention: float | None, min_retention: float, is_lost: bool, is_gained: bool, agrees: bool
) -> Verdict:
    """Judge which images the candidate and the baseline classify correctly.

    Below the limit it is worse if the exact paired test is significant (`is_lost`), by the plan for all
    variants and classes. Above 1 it is better if that test is (`is_gained`) and few predictions changed
    (`agrees`): a file that changes many and happens to hit mistakes is another network, not a better file.
    """
    if retention is None:
        return Verdict.INCOMPARABLE
    if retention < min_retention:
        return Verdict.WORSE if is_lost else Verdict.UNDECIDED
    if retention <= 1 or not is_gained:
        return Verdict.SAME
    return Verdict.BETTER if agrees else Verdict.UNDECIDED


def judge_recall(retention: float | None, min_retention: float, is_lost: bool) -> Verdict:
    """Judge which images of one class both recognise. Of a class nobody recognises, nothing can be lost."""
    if retention is None or retention >= min_retention:
        return Verdict.SAME
    return Verdict.WORSE if is_lost else Verdict.UNDECIDED


def judge_agreement(interval: Interval, items: int, limit: float) -> Verdict:
    """Judge the 95 % interval of the share of items that keep their class.

    It is worse only if the whole interval is below the limit. It is the same if the whole interval is above
    it. Few items cannot show that: none of them may then change its class.
    """
    if max(0.0, interval.low) >= least_agreement(items, limit):
        return Verdict.SAME
    return Verdict.WORSE if interval.high < limit else Verdict.UNDECIDED


def judge_sqnr(sqnr_db: float, limit: float) -> Verdict:
    """Judge how far values are from the baseline's, as signal-to-quantisation-noise ratio in dB."""
    return Verdict.SAME if sqnr_db >= limit else Verdict.WORSE
