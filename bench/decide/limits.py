"""Which limits of a budget a contender keeps, and by how much it misses the others. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.decide.contenders import Contender
from device_profiles.settings import Budget

MARGIN = 0.01


@dataclass(frozen=True)
class Limit:
    """A limit of a budget: `what` may be at most `most`, in `unit`."""

    what: str
    most: float
    unit: str


@dataclass(frozen=True)
class Miss:
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


def value_of(limit: Limit, one: Contender) -> tuple[float, str] | None:
    """Return what a contender has of a limited quantity, and what that is; None where it cannot be judged.

    Of a stand-in's latency it is the lower end of the projected range, which is the device's, if there is
    one. Without a p95 its p50 is taken: what is over the limit with that is over it with both.
    """
    match limit.what:
        case "peak memory":
            return one.memory_mb, limit.what
        case "size":
            return one.size_mb, limit.what
        case _ if one.run.standing == "measured" and one.latency.p95 is None:
            return one.latency.p50, "p50 latency, for want of a p95,"
        case _ if one.run.standing == "measured":
            return one.latency.p95 or 0.0, limit.what
        case _ if one.run.projected_ms is not None:
            return one.run.projected_ms.low, "the lower end of the projected latency"
        case _:
            return None


def misses(one: Contender, limits: Sequence[Limit]) -> list[Miss]:
    """Return each limit that a contender is over."""
    values = ((limit, value_of(limit, one)) for limit in limits)
    return [Miss(limit, *value) for limit, value in values if value is not None and value[0] > limit.most]


@dataclass(frozen=True)
class Kept:
    """Whether a contender is shown to keep the accuracy, in words and with what would decide it."""

    is_shown: bool
    is_lost: bool
    sentence: str


def kept(one: Contender, min_retention: float | None, margin: float) -> Kept:
    """Judge retention: shown if the lower end of its interval is at least the limit less the margin.

    Lost if even its upper end lies below that; in between more images would decide.
    """
    if min_retention is None:
        return Kept(True, False, "")
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
