"""The limits of a budget that a candidate exceeds, and by how much. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.choose.candidates import Candidate
from bench.report.class_recall import Classes
from bench.report.retention import RetentionCheck, check_agreement, check_retention, check_values
from bench.statistics.accuracy import MIN_AGREEMENT, least_agreement
from bench.statistics.by_class import ClassPair
from bench.statistics.latency import p95_or_p50
from bench.units import mb, mib, ms
from device_profiles.settings import Budget

_MOST_NAMED = 3
_TWO_CLASSES = 2
_P50 = "p50 latency (too few samples for a p95)"


@dataclass(frozen=True)
class Limit:
    """An upper limit of a budget."""

    quantity: str
    """The limited quantity."""
    maximum: float
    """The largest value that is allowed."""
    unit: str
    """The unit of the maximum."""


@dataclass(frozen=True)
class Violation:
    """A limit that a candidate exceeds."""

    limit: Limit
    """The limit."""
    value: float
    """The candidate's value, in the limit's unit."""
    quantity: str
    """Which of the candidate's quantities was compared with the limit."""

    @property
    def excess(self) -> float:
        """Value ÷ limit, less 1."""
        return self.value / self.limit.maximum - 1

    @property
    def sentence(self) -> str:
        """The quantity, its value, and by how much it exceeds the limit."""
        over = self.value - self.limit.maximum
        unit = self.limit.unit
        return (
            f"{self.quantity} {self.value:.4g} {unit} is {over:.3g} {unit} ({self.excess:+.1%}) over the "
            f"limit of {self.limit.maximum:g} {unit}"
        )


def limits_of(budget: Budget) -> list[Limit]:
    """Return a budget's upper limits. The limit of retention is checked separately, by its interval."""
    limits = (
        ("p95 latency", budget.p95_ms, "ms"),
        ("peak memory", budget.memory_mb, "MiB"),
        ("size", budget.size_mb, "MB"),
    )
    return [Limit(quantity, maximum, unit) for quantity, maximum, unit in limits if maximum is not None]


def value_of(limit: Limit, candidate: Candidate) -> tuple[float, str] | None:
    """Return a candidate's value for a limit, and the quantity that it is; None where there is no value.

    A proxy's latency is the lower end of the range that is projected for the device.
    """
    projected = candidate.run.projected
    match limit.quantity:
        case "peak memory":
            return mib(candidate.memory_bytes), limit.quantity
        case "size":
            return mb(candidate.size_bytes), limit.quantity
        case _ if candidate.run.provenance == "measured":
            ns, percentile = p95_or_p50(candidate.latency)
            return ms(ns), limit.quantity if percentile == "p95" else _P50
        case _ if projected is not None:
            return ms(projected.low_ns), "the lower end of the projected latency"
        case _:
            return None


def violations(candidate: Candidate, limits: Sequence[Limit]) -> list[Violation]:
    """Return the limits that a candidate exceeds."""
    values = ((limit, value_of(limit, candidate)) for limit in limits)
    return [
        Violation(limit, *value) for limit, value in values if value is not None and value[0] > limit.maximum
    ]


def retention_check(candidate: Candidate, min_retention: float | None, margin: float) -> RetentionCheck:
    """Check retention, agreement and each class. The first one that is lost, or else not shown, decides.

    Retention alone can hide two losses: changed predictions that happen to correct the reference's errors,
    and a class that loses what another one gains. A positive class that is lost is named before all others.
    """
    if candidate.judged_by in ("agreement", "SQNR"):
        return _without_labels(candidate)
    if min_retention is None:
        return RetentionCheck(True, False, "")
    least = min_retention - margin
    classes = candidate.classes
    lost = [] if classes is None else classes.lost(least)
    overall = _naming(check_retention(candidate.paired, min_retention, margin), classes, lost)
    others = [_agreement(candidate, least), _lost(classes, lost, least), *_not_shown(classes, least)]
    checks = [overall, *(check for check in others if check is not None)]
    if classes is not None and any(classes.is_positive(pair) for pair in lost):
        checks.sort(key=lambda check: check.judged != "one class")
    decided = next((check for check in checks if check.is_lost), None)
    return decided or next((check for check in checks if not check.is_shown), overall)


def _without_labels(candidate: Candidate) -> RetentionCheck:
    """Check a bundle's row that has no accuracy by its agreement with the source."""
    evaluated, changes = candidate.run.accuracy, candidate.changes
    if evaluated is None or changes is None:
        sentence = "not shown to agree: its answers are unknown"
        return RetentionCheck(False, False, sentence, "agreement")
    if candidate.judged_by == "SQNR":
        return check_values(evaluated.sqnr_db, candidate.reference)
    return check_agreement(changes, candidate.reference)


def _agreement(candidate: Candidate, least: float) -> RetentionCheck | None:
    """Check the share of images with the reference's class by its interval; None if it is high enough."""
    changes = candidate.changes
    if changes is None:
        return None
    limit = least_agreement(changes.images, min(MIN_AGREEMENT, least))
    low, high = changes.interval
    if low >= limit:
        return None
    figures = f"agreement {changes.agreement:.3f} ({low:.3f} to {high:.3f})"
    share = f"{figures} with the {candidate.reference}'s classes"
    if high < limit:
        sentence = f"loses accuracy: {share}, whole interval below {limit:.3g}"
        return RetentionCheck(False, True, sentence, "agreement")
    sentence = f"not shown to keep the accuracy: {share}, lower end below {limit:.3g}"
    return RetentionCheck(False, False, sentence, "agreement")


def _lost(classes: Classes | None, lost: Sequence[ClassPair], least: float) -> RetentionCheck | None:
    """Return the check of the classes that are lost by more than chance, all together; None if none is."""
    if classes is None or not lost:
        return None
    figures = "; ".join(_figures(classes, pair, least) for pair in lost[:_MOST_NAMED])
    more = f"; and {len(lost) - _MOST_NAMED} more classes" if len(lost) > _MOST_NAMED else ""
    return RetentionCheck(False, True, f"loses accuracy: {figures}{more}", "one class")


def _naming(overall: RetentionCheck, classes: Classes | None, lost: Sequence[ClassPair]) -> RetentionCheck:
    """Name the class of which most is lost, where the accuracy is lost and more than two classes share it."""
    if not overall.is_lost or classes is None or not lost or len(classes.pairs) <= _TWO_CLASSES:
        return overall
    worst = min(lost, key=lambda pair: pair.paired.retention or 0)
    return replace(overall, sentence=f"{overall.sentence}; {classes.loss(worst)}")


def _not_shown(classes: Classes | None, least: float) -> Iterator[RetentionCheck]:
    """Yield a check for each class that may be lost."""
    for pair in () if classes is None else classes.suspected(least):
        assert classes is not None
        sentence = f"not shown to keep the accuracy: {_figures(classes, pair, least)}"
        yield RetentionCheck(False, False, sentence, "one class")


def _figures(classes: Classes, pair: ClassPair, least: float) -> str:
    retention = f"retention {pair.paired.retention:.3f}, below {least:g}"
    return f"{classes.loss(pair)} ({retention}, p = {pair.loss_p():.2g})"
