"""How two contenders stand to each other in what is preferred: worse, better, a tie, or not decided. Pure."""

import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from bench.choose.candidates import Candidate
from bench.report.comparability import differing_machines, ratio_through_controls
from bench.statistics import accuracy, processes
from bench.statistics.replication import Interval

TIE = 0.03


class Preference(str, Enum):
    """By what contenders are ranked."""

    LATENCY = "latency"
    MEMORY = "memory"
    SIZE = "size"
    ACCURACY = "accuracy"
    ENERGY = "energy"


class Relation(str, Enum):
    """How one contender stands to another."""

    WORSE = "worse"
    BETTER = "better"
    TIE = "tie"
    UNDECIDED = "not decided"


@dataclass(frozen=True)
class Comparison:
    """One contender's cost ÷ another's: above 1 it is worse. Of accuracy the cost is its inverse.

    `interval`: with 95 % confidence; None where there is none, and `because` says why. `is_single`: of a
    value that there is one of, such as a size or a peak, and so without a width.
    """

    ratio: float
    interval: Interval | None
    because: str | None = None
    is_single: bool = False

    @property
    def relation(self) -> Relation:
        """A tie if the whole interval lies within ±3 %; else on one side of 1, or not decided."""
        if self.interval is None:
            return Relation.UNDECIDED
        if self.interval.low >= 1 / (1 + TIE) and self.interval.high <= 1 + TIE:
            return Relation.TIE
        if self.interval.low > 1:
            return Relation.WORSE
        return Relation.BETTER if self.interval.high < 1 else Relation.UNDECIDED


def compare(one: Candidate, other: Candidate, prefer: Preference) -> Comparison:
    """Compare two contenders in what is preferred."""
    match prefer:
        case Preference.LATENCY:
            return _latency(one, other)
        case Preference.MEMORY:
            return _exact(one.memory_mb, other.memory_mb)
        case Preference.SIZE:
            return _exact(one.size_mb, other.size_mb)
        case Preference.ACCURACY:
            return _accuracy(one, other)
        case Preference.ENERGY:
            return _exact(one.energy_mj or math.inf, other.energy_mj or math.inf)


def _latency(one: Candidate, other: Candidate) -> Comparison:
    """Compare turn by turn where the two took turns with each other, else by their control workloads.

    Where both are projected for the device it is the projected ranges, each end against the other's.
    """
    if one.is_projected or other.is_projected:
        return _projected(one, other)
    assert one.run.raw is not None
    assert other.run.raw is not None
    plain = one.speed_ms / other.speed_ms
    if one.report is other.report:
        paired = processes.ratio(one.run.raw.processes, other.run.raw.processes)
        if paired is not None:
            because = None if paired.interval else "its report has too few processes for an interval"
            return Comparison(paired.value, paired.interval, because)
    elif differing := differing_machines(one.report, other.report):
        return Comparison(plain, None, f"measured on other terms: {'; '.join(differing)}")
    elif one.run.threads != other.run.threads:
        return Comparison(plain, None, "measured with another number of threads")
    estimate = ratio_through_controls(one.report, other.report, one.run, other.run)
    if isinstance(estimate, str):
        return Comparison(plain, None, estimate.removeprefix("not decided: "))
    return Comparison(math.exp(estimate.value), estimate.interval())


def _projected(one: Candidate, other: Candidate) -> Comparison:
    ratio = one.speed_ms / other.speed_ms
    here, there = one.run.projected_ms, other.run.projected_ms
    if here is None or there is None:
        return Comparison(ratio, None, "only one of the two is projected for the device; measure there")
    interval = Interval(here.low / there.high, here.high / there.low)
    return Comparison(ratio, interval, "projected ranges overlap; measure on the device")


def _exact(one: float, other: float) -> Comparison:
    ratio = one / other if other else math.inf
    return Comparison(ratio, Interval(ratio, ratio), is_single=True)


def _accuracy(one: Candidate, other: Candidate) -> Comparison:
    """Compare image by image; the cost ratio is the other's accuracy ÷ this one's."""
    plain = other.top1 / one.top1 if one.top1 else math.inf
    if one.report.bundle.pack_sha256 != other.report.bundle.pack_sha256:
        return Comparison(plain, None, "judged on other evaluation images")
    assert one.run.raw is not None
    assert other.run.raw is not None
    if one.run.raw.logits is None or other.run.raw.logits is None:
        return Comparison(plain, None, "it was not judged")
    labels = min(one.report.evaluation.labels, other.report.evaluation.labels, key=len)
    logits = [
        np.asarray(each.run.raw.logits[: len(labels)], dtype=np.float32)  # type: ignore[union-attr, index]
        for each in (other, one)
    ]
    paired = accuracy.pair(logits[0], logits[1], np.asarray(labels, dtype=np.int64))
    found = paired.retention_ci95()
    return Comparison(
        plain if paired.retention is None else paired.retention, None if found is None else Interval(*found)
    )
