"""Which limits of a budget a contender keeps, and by how much it misses the others. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.choose.candidates import Candidate
from bench.statistics import accuracy
from device_profiles.settings import Budget

MARGIN = 0.01
# As in the gate: a class counts as changed where chance would do as much in one of ten at most.
_CHANCE = 0.1


@dataclass(frozen=True)
class Limit:
    """A limit of a budget: `what` may be at most `most`, in `unit`."""

    what: str
    most: float
    unit: str


@dataclass(frozen=True)
class Violation:
    """By how much a contender misses a limit; `what`: which of its values was held against it."""

    limit: Limit
    value: float
    what: str

    @property
    def excess(self) -> float:
        """The value ÷ the limit, less 1."""
        return self.value / self.limit.most - 1

    @property
    def sentence(self) -> str:
        """Say over which limit it is, and by how much."""
        over = self.value - self.limit.most
        unit = self.limit.unit
        return (
            f"{self.what} {self.value:.4g} {unit} is {over:.3g} {unit} ({self.excess:+.1%}) over the "
            f"limit of {self.limit.most:g} {unit}"
        )


def limits_of(budget: Budget) -> list[Limit]:
    """Return a budget's upper limits; that of retention is judged by its interval, in retention."""
    known = (
        ("p95 latency", budget.p95_ms, "ms"),
        ("peak memory", budget.memory_mb, "MiB"),
        ("size", budget.size_mb, "MB"),
    )
    return [Limit(what, most, unit) for what, most, unit in known if most is not None]


def value_of(limit: Limit, one: Candidate) -> tuple[float, str] | None:
    """Return what a contender has of a limited quantity, and what that is; None where it cannot be judged.

    Of a proxy's latency it is the lower end of the projected range, which is the device's, if there is
    one. Without a p95 its p50 is taken: what is over the limit with that is over it with both.
    """
    match limit.what:
        case "peak memory":
            return one.memory_mb, limit.what
        case "size":
            return one.size_mb, limit.what
        case _ if one.run.provenance == "measured" and one.latency.p95 is None:
            return one.latency.p50, "p50 latency, for want of a p95,"
        case _ if one.run.provenance == "measured":
            return one.latency.p95 or 0.0, limit.what
        case _ if one.run.projected_ms is not None:
            return one.run.projected_ms.low, "the lower end of the projected latency"
        case _:
            return None


def misses(one: Candidate, limits: Sequence[Limit]) -> list[Violation]:
    """Return each limit that a contender is over."""
    values = ((limit, value_of(limit, one)) for limit in limits)
    return [
        Violation(limit, *value) for limit, value in values if value is not None and value[0] > limit.most
    ]


@dataclass(frozen=True)
class Kept:
    """Whether a contender is shown to keep the accuracy, in words; `judged`: which of its values decided."""

    is_shown: bool
    is_lost: bool
    sentence: str
    judged: Literal["retention", "agreement", "one class"] = "retention"


def kept(one: Candidate, min_retention: float | None, margin: float) -> Kept:
    """Judge retention, agreement and each class; the first that is not kept, or not shown to be, decides.

    A retention can hide changed answers that happen to hit the reference's mistakes, and one class lost where
    the other gains: so both count.
    """
    if min_retention is None:
        return Kept(True, False, "")
    least = min_retention - margin
    overall = _retention(one, min_retention, margin)
    others = (_agreement(one, least), *_by_class(one, least))
    judged = [overall, *(each for each in others if each is not None)]
    lost = next((each for each in judged if each.is_lost), None)
    return lost or next((each for each in judged if not each.is_shown), overall)


def _agreement(one: Candidate, least: float) -> Kept | None:
    """Judge the share of images with the reference's class by the lower end of its interval; None if kept."""
    judged, agreeing = one.run.accuracy, one.agreeing
    if judged is None or agreeing is None:
        return None
    limit = accuracy.least_agreement(judged.images, min(accuracy.MIN_AGREEMENT, least))
    low, high = accuracy.wilson_interval(agreeing, judged.images)
    if low >= limit:
        return None
    share = f"agreement {judged.agreement:.3f} ({low:.3f} to {high:.3f}) with the fp32 model's classes"
    if high < limit:
        sentence = f"loses accuracy: {share}, all of it below {limit:.3g}"
        return Kept(False, True, sentence, "agreement")
    sentence = f"not shown to keep the accuracy: {share}, its lower end is below {limit:.3g}"
    return Kept(False, False, sentence, "agreement")


def _by_class(one: Candidate, least: float) -> Iterator[Kept]:
    """Judge each class whose retention is below the limit by more than chance."""
    for name, paired in one.paired_by_class.items():
        interval = paired.retention_ci95()
        if paired.retention is None or interval is None or paired.retention >= least:
            continue
        share = f"retention of '{name}' {paired.retention:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"
        if interval[1] < least:
            yield Kept(False, True, f"loses accuracy: {share}, all of it below {least:g}", "one class")
        elif paired.loss_p() <= _CHANCE:
            sentence = f"not shown to keep the accuracy: {share}, below {least:g}"
            yield Kept(False, False, sentence, "one class")


def _retention(one: Candidate, min_retention: float, margin: float) -> Kept:
    """Judge retention: shown if the lower end of its interval is at least the limit less the margin.

    Lost if even its upper end lies below that; in between more images would decide.
    """
    least, paired = min_retention - margin, one.paired
    interval = None if paired is None else paired.retention_ci95()
    if paired is None or interval is None or paired.retention is None:
        return Kept(False, False, "not shown to keep the accuracy: it has no retention")
    found = f"retention {paired.retention:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"
    if interval[0] >= least:
        return Kept(True, False, found)
    below = f"its lower end is below {least:g} ({min_retention:g} less a margin of {margin:g})"
    if interval[1] < least:
        return Kept(False, True, f"loses accuracy: {found}, all of it below {least:g}")
    needed = paired.images_to_decide(least)
    decides = (
        f"{needed} images like these {paired.images} would decide it"
        if needed is not None
        else "it lies so near that no number of images would decide it"
    )
    return Kept(False, False, f"not shown to keep the accuracy: {found}, {below}; {decides}")
