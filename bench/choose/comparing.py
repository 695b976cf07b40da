"""Compares two candidates in the preferred quantity: worse, better, a tie, or not decided. Pure."""

import math
from dataclasses import dataclass, replace
from enum import Enum

from bench.choose.candidates import Candidate
from bench.report.conditions import differing_machines, differing_options, ratio_through_controls
from bench.report.joint_runs import took_turns, why_not_same_answers
from bench.report.predictions import Predictions
from bench.statistics import accuracy, processes
from bench.statistics.accuracy import Paired
from bench.statistics.replication import Interval

TIE = 0.03
# What `edgefit check` does not take for slower either, unless told otherwise.
TIE_OF_LATENCY = 0.05
# A choice is decided although another variant may be faster by so much.
ALLOWED_OF_LATENCY = 0.10


class Preference(str, Enum):
    """The quantity that ranks the candidates."""

    LATENCY = "latency"
    MEMORY = "memory"
    SIZE = "size"
    ACCURACY = "accuracy"
    ENERGY = "energy"


class Relation(str, Enum):
    """The relation of one candidate to another. Not better: worse, or better by no more than is allowed."""

    WORSE = "worse"
    BETTER = "better"
    TIE = "tie"
    NOT_BETTER = "not better"
    UNDECIDED = "not decided"


@dataclass(frozen=True)
class Comparison:
    """One candidate's cost ÷ another's. Above 1 it is worse. The cost of accuracy is its inverse."""

    ratio: float
    """The ratio of the two costs."""
    interval: Interval | None
    """Its 95 % interval; None where there is none."""
    because: str | None = None
    """Why there is no interval, or why it decides nothing."""
    is_exact: bool = False
    """Whether both values are exact, such as a size or a peak. The interval then has no width."""
    tie: float = TIE
    """The two tie if the interval is as near to 1 as this."""
    allowed: float = 0.0
    """By how much this one may be better and still not be called better; 0: every difference counts."""

    @property
    def most_better(self) -> float:
        """By what share this one is better at most, by the interval; 0 if it is worse."""
        return math.inf if self.interval is None else max(0.0, 1 / self.interval.low - 1)

    @property
    def relation(self) -> Relation:
        """A tie if the whole interval is near 1; worse or better if it lies on one side of 1.

        Not better if even the lower end is no more below 1 than is allowed.
        """
        if self.interval is None:
            return Relation.UNDECIDED
        low, high = self.interval.low, self.interval.high
        if low >= 1 / (1 + self.tie) and high <= 1 + self.tie:
            return Relation.TIE
        if low > 1:
            return Relation.WORSE
        if high < 1:
            return Relation.BETTER
        return Relation.NOT_BETTER if self.most_better <= self.allowed else Relation.UNDECIDED


def compare(candidate: Candidate, other: Candidate, prefer: Preference) -> Comparison:
    """Compare two candidates in the preferred quantity."""
    match prefer:
        case Preference.LATENCY:
            return replace(_latency(candidate, other), tie=TIE_OF_LATENCY, allowed=ALLOWED_OF_LATENCY)
        case Preference.MEMORY:
            return _exact(candidate.memory_bytes, other.memory_bytes)
        case Preference.SIZE:
            return _exact(candidate.size_bytes, other.size_bytes)
        case Preference.ACCURACY:
            return _accuracy(candidate, other)
        case Preference.ENERGY:
            return _exact(candidate.energy_mj or math.inf, other.energy_mj or math.inf)


def _latency(candidate: Candidate, other: Candidate) -> Comparison:
    """Compare block by block where one run interleaved the two, else by their control workloads.

    Two projected latencies are compared by the opposite ends of their ranges.
    """
    if candidate.is_projected or other.is_projected:
        return _projected(candidate, other)
    plain = candidate.speed_ns / other.speed_ns
    if took_turns(candidate.report, other.report):
        paired = processes.ratio(candidate.measured.processes, other.measured.processes)
        if paired is not None:
            because = None if paired.interval else "its report has too few processes for an interval"
            return Comparison(paired.value, paired.interval, because)
    elif differing := differing_machines(candidate.report, other.report):
        return Comparison(plain, None, f"measured under other conditions: {'; '.join(differing)}")
    elif differing := _differing_options(candidate, other):
        return Comparison(plain, None, f"measured with other options: {'; '.join(differing)}")
    estimate = ratio_through_controls(candidate.report, other.report, candidate.run, other.run)
    if isinstance(estimate, str):
        return Comparison(plain, None, estimate.removeprefix("not decided: "))
    return Comparison(math.exp(estimate.value), estimate.interval())


def _differing_options(candidate: Candidate, other: Candidate) -> list[str]:
    """Return how the options of two rows differ. The provider is none of them: it is what is chosen."""
    config = other.run.config.model_copy(update={"provider": candidate.run.config.provider})
    return differing_options(candidate.run.config, config)


def _projected(candidate: Candidate, other: Candidate) -> Comparison:
    ratio = candidate.speed_ns / other.speed_ns
    here, there = candidate.run.projected, other.run.projected
    if here is None or there is None:
        return Comparison(ratio, None, "only one of the two is projected; measure on the device")
    interval = Interval(here.low_ns / there.high_ns, here.high_ns / there.low_ns)
    return Comparison(ratio, interval, "projected ranges overlap; measure on the device")


def _exact(value: float, other: float) -> Comparison:
    ratio = value / other if other else math.inf
    return Comparison(ratio, Interval(ratio, ratio), is_exact=True)


def answers_of_both(candidate: Candidate, other: Candidate) -> tuple[Predictions, Predictions] | None:
    """Return what both say of the images that both answered; None without answers, or without classes.

    They have to answer the same images: see why_not_same_answers.
    """
    after, before = candidate.measured.logits, other.measured.logits
    here, there = candidate.report.evaluation, other.report.evaluation
    if after is None or before is None or here is None or there is None:
        return None
    evaluation = min(here, there, key=lambda evaluation: evaluation.images)
    own, others = (Predictions.of(answers[: evaluation.images], evaluation) for answers in (after, before))
    return None if own is None or others is None else (own, others)


def paired_right(candidate: Candidate, other: Candidate) -> Paired | None:
    """Count which of the images that both answered they get right; None without labels or answers."""
    answers = answers_of_both(candidate, other)
    if answers is None or answers[0].labels is None:
        return None
    own, others = answers
    return accuracy.pair(own.logits, others.logits, answers[0].labels, own.each)


def _accuracy(candidate: Candidate, other: Candidate) -> Comparison:
    """Compare image by image. The cost ratio is the other's accuracy ÷ this one's."""
    plain = other.quality / candidate.quality if candidate.quality else math.inf
    here, there = candidate.report, other.report
    is_evaluated = other.measured.logits is not None and candidate.measured.logits is not None
    if not is_evaluated or here.evaluation is None or there.evaluation is None:
        return Comparison(plain, None, "it was not evaluated")
    if (reason := why_not_same_answers(here, there)) is not None:
        return Comparison(plain, None, reason)
    paired = paired_right(other, candidate)
    if paired is None:
        return Comparison(plain, None, f"there is no accuracy: {here.evaluation.gap or there.evaluation.gap}")
    ends = paired.retention_ci95()
    return Comparison(
        plain if paired.retention is None else paired.retention, None if ends is None else Interval(*ends)
    )
