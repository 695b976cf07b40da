"""The gate: what is known of a variant on both sides in, findings out. Pure; how it was measured is not its
business, so that two bundles side by side and two reports are judged by the same rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from bench.gate import reasons
from bench.gate.findings import Finding, Limits, Quantity, Verdict
from bench.gate.judging import (
    corrected_confidence,
    judge_accuracy,
    judge_estimate,
    judge_memory,
    judge_value,
    may_be_found_worse,
)
from bench.statistics import accuracy
from bench.statistics.accuracy import Labels, Logits
from bench.statistics.replication import Estimate

_BYTES_PER_MIB = 1 << 20


@dataclass(frozen=True)
class Side:
    """What is known of a variant on one side, apart from its latency.

    `peaks_bytes`: the memory peak of each process that was looked at; `logits` [images][classes].
    """

    status: Literal["completed", "skipped", "failed"]
    reason: str | None = None
    size_bytes: int | None = None
    peaks_bytes: tuple[int, ...] = ()
    logits: Logits | None = None


@dataclass(frozen=True)
class Times:
    """A time of both sides, in ms, and candidate ÷ baseline.

    `ratio` is the estimate of the ratio's logarithm, or in words why there is none; `comparable`: whether
    there could have been one.
    """

    baseline_ms: float
    candidate_ms: float
    ratio: Estimate | str
    comparable: bool = True
    confirmed: bool = False


@dataclass(frozen=True)
class Compared:
    """A variant on both sides; None where a side has it not.

    `labels`: of the images that both sides answered, or in words why their answers cannot be compared;
    `are_equal_files`: that is all there is to say, for it was not measured.
    """

    variant: str
    provider: str
    baseline: Side | None
    candidate: Side | None
    latency: Times | None = None
    load_time: Times | None = None
    labels: Labels | str = "no answers"
    are_equal_files: bool = False
    memory_confirmed: bool = False

    @property
    def case(self) -> tuple[str, str]:
        """Variant and provider."""
        return self.variant, self.provider

    @property
    def runs_on_both(self) -> bool:
        """Whether both sides have it, and it ran there."""
        sides = (self.baseline, self.candidate)
        return all(side is not None and side.status == "completed" for side in sides)


def judge(compared: Sequence[Compared], limits: Limits) -> tuple[Finding, ...]:
    """Return the findings of every variant, in order; intervals are corrected for how many there are."""
    comparisons = sum(one.runs_on_both and not one.are_equal_files for one in compared)
    return tuple(finding for one in compared for finding in _Judge(one, limits, comparisons).findings())


def suspects(findings: Sequence[Finding], limits: Limits) -> list[Finding]:
    """Return the findings that are to be measured again: what was measured lies beyond its limit.

    Whatever its interval: a second look asks for evidence that this one need not give.
    """
    limit = {
        Quantity.LATENCY: limits.max_slowdown,
        Quantity.LOAD_TIME: limits.max_load_slowdown,
        Quantity.MEMORY: limits.max_memory_growth,
    }
    return [
        one
        for one in findings
        if one.quantity in limit and one.ratio is not None and one.ratio > 1 + limit[one.quantity]
    ]


def is_worth_confirming(found: Finding, estimate: Estimate | None, processes: int | None) -> bool:
    """Tell whether a suspected time may turn out worse; if not, it stays undecided by the first look.

    `estimate`: of the ratio's logarithm, by which it is suspected; `processes`: for how many of each side
    there is time, None for too few. Then only what the first look calls worse is worth more than that time.
    """
    if processes is None:
        return found.verdict is Verdict.WORSE
    if estimate is None or found.confidence is None:
        return False
    return may_be_found_worse(estimate, processes, found.confidence)


@dataclass(frozen=True)
class _Judge:
    """Judges one variant."""

    compared: Compared
    limits: Limits
    comparisons: int

    def findings(self) -> list[Finding]:
        baseline, candidate = self.compared.baseline, self.compared.candidate
        if self.compared.are_equal_files:
            return [self._finding(Quantity.CASE, Verdict.SAME, reasons.EQUAL_FILES)]
        if baseline is None or candidate is None or not self.compared.runs_on_both:
            return [self._whole(baseline, candidate)]
        return [
            *self._time(Quantity.LATENCY, self.compared.latency, self.limits.max_slowdown),
            *self._time(Quantity.LOAD_TIME, self.compared.load_time, self.limits.max_load_slowdown),
            *self._memory(baseline, candidate),
            *self._size(baseline, candidate),
            *self._accuracy(baseline, candidate),
        ]

    def _finding(self, quantity: Quantity, verdict: Verdict, sentence: str, **values: object) -> Finding:
        return Finding.model_validate(
            {
                "variant": self.compared.variant,
                "provider": self.compared.provider,
                "quantity": quantity,
                "verdict": verdict,
                "sentence": sentence,
                **values,
            }
        )

    def _whole(self, baseline: Side | None, candidate: Side | None) -> Finding:
        """Say that it is not there, or does not run, on one side or on both."""
        if candidate is None:
            return self._finding(Quantity.CASE, Verdict.MISSING, reasons.MISSING)
        if baseline is None:
            return self._finding(Quantity.CASE, Verdict.NEW, reasons.NEW)
        runs = (baseline.status == "completed", candidate.status == "completed")
        if runs == (True, False):
            return self._finding(Quantity.CASE, Verdict.BROKE, reasons.broke(candidate.reason))
        if runs == (False, True):
            return self._finding(Quantity.CASE, Verdict.FIXED, reasons.fixed(baseline.reason))
        return self._finding(
            Quantity.CASE, Verdict.INCOMPARABLE, reasons.runs_nowhere(baseline.reason, candidate.reason)
        )

    def _time(self, quantity: Quantity, times: Times | None, limit: float) -> list[Finding]:
        if times is None:
            return []
        values = {
            "baseline": times.baseline_ms,
            "candidate": times.candidate_ms,
            "unit": "ms",
            "limit": limit,
            "confirmed": times.confirmed,
        }
        if isinstance(times.ratio, str):
            verdict = Verdict.UNDECIDED if times.comparable else Verdict.INCOMPARABLE
            return [self._finding(quantity, verdict, times.ratio, **values)]
        confidence = corrected_confidence(self.comparisons)
        judged = judge_estimate(times.ratio, limit, confidence)
        values |= {
            "ratio": judged.ratio,
            "interval": (judged.interval.low, judged.interval.high),
            "confidence": confidence,
        }
        sentence = reasons.of_time(judged, limit, times.confirmed)
        return [self._finding(quantity, judged.verdict, sentence, **values)]

    def _memory(self, baseline: Side, candidate: Side) -> list[Finding]:
        if not baseline.peaks_bytes or not candidate.peaks_bytes:
            return []
        limit = self.limits.max_memory_growth
        before, after = median(baseline.peaks_bytes), median(candidate.peaks_bytes)
        verdict = judge_memory(baseline.peaks_bytes, candidate.peaks_bytes, limit)
        processes = len(candidate.peaks_bytes)
        again = self.compared.memory_confirmed
        return [
            self._finding(
                Quantity.MEMORY,
                verdict,
                reasons.of_memory(before / _BYTES_PER_MIB, after / _BYTES_PER_MIB, limit, processes, again),
                ratio=after / before,
                limit=limit,
                baseline=before / _BYTES_PER_MIB,
                candidate=after / _BYTES_PER_MIB,
                unit="MiB",
                confirmed=again,
            )
        ]

    def _size(self, baseline: Side, candidate: Side) -> list[Finding]:
        before, after, limit = baseline.size_bytes, candidate.size_bytes, self.limits.max_growth
        if not before or after is None:
            return []
        return [
            self._finding(
                Quantity.SIZE,
                judge_value(after / before, limit),
                reasons.of_size(before, after, limit),
                ratio=after / before,
                limit=limit,
                baseline=float(before),
                candidate=float(after),
                unit="bytes",
            )
        ]

    def _accuracy(self, baseline: Side, candidate: Side) -> list[Finding]:
        labels = self.compared.labels
        if baseline.logits is None or candidate.logits is None:
            return []
        if isinstance(labels, str):
            return [self._finding(Quantity.ACCURACY, Verdict.INCOMPARABLE, labels)]
        images, limit = len(labels), self.limits.min_retention
        before, after = baseline.logits[:images], candidate.logits[:images]
        paired = accuracy.pair(after, before, labels)
        flips = len(accuracy.flips(after, before))
        return [
            self._finding(
                Quantity.ACCURACY,
                judge_accuracy(paired, limit, self.comparisons),
                reasons.of_accuracy(paired, flips, limit),
                ratio=paired.retention,
                interval=paired.retention_ci95(),
                confidence=0.95,
                limit=limit,
                baseline=accuracy.top1(before, labels),
                candidate=accuracy.top1(after, labels),
                unit="share right",
            )
        ]
