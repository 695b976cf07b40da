"""What the gate says: a finding for each quantity of a variant, and whether it blocks. It judges nothing."""

from collections.abc import Iterable
from enum import Enum
from typing import Literal

from pydantic import Field

from bench.record import Record


class Verdict(str, Enum):
    """What became of a quantity, or of a whole variant, from the baseline to the candidate."""

    SAME = "SAME"
    BETTER = "BETTER"
    WORSE = "WORSE"
    UNDECIDED = "UNDECIDED"
    NEW = "NEW"
    MISSING = "MISSING"
    BROKE = "BROKE"
    FIXED = "FIXED"
    INCOMPARABLE = "INCOMPARABLE"


class Quantity(str, Enum):
    """What is compared; `CASE` is the variant itself: whether it is there and runs."""

    CASE = "case"
    LATENCY = "latency"
    LOAD_TIME = "load time"
    MEMORY = "memory"
    SIZE = "size"
    ACCURACY = "accuracy"


# How much slower a candidate may be, by what is compared. At these limits hardly any equal bundles blocked:
# `tests/benchmarks/gate.py` has them side by side, `report_gate.py` in reports, where 15 % was the narrowest.
DEFAULT_SLOWDOWN = {"bundles": 0.05, "reports": 0.15}
_OF_INTERVALS = (Quantity.LATENCY, Quantity.LOAD_TIME)
_BLOCKING = frozenset({Verdict.WORSE, Verdict.MISSING, Verdict.BROKE})


class Limits(Record):
    """How much worse a candidate may be, as shares of the baseline: 0.05 is 5 %.

    `min_retention`: the least that the candidate's accuracy ÷ the baseline's may be.
    """

    max_slowdown: float = Field(default=DEFAULT_SLOWDOWN["bundles"], ge=0)
    max_load_slowdown: float = Field(default=0.25, ge=0)
    max_memory_growth: float = Field(default=0.05, ge=0)
    max_growth: float = Field(default=0.01, ge=0)
    min_retention: float = Field(default=0.99, ge=0, le=1)


class Finding(Record):
    """The verdict on one quantity of a variant.

    `sentence` says why; `ratio`: candidate ÷ baseline, with its `interval` at `confidence` (corrected for the
    number of comparisons) where it is an estimate; `baseline`, `candidate`: the two values in `unit`;
    `confirmed`: whether it rests on fresh measurements alone, which a suspicion had asked for.
    """

    variant: str
    provider: str
    quantity: Quantity = Field(strict=False)
    verdict: Verdict = Field(strict=False)
    sentence: str
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    confidence: float | None = None
    limit: float | None = None
    baseline: float | None = None
    candidate: float | None = None
    unit: Literal["ms", "MiB", "bytes", "share right"] | None = None
    confirmed: bool = False

    @property
    def case(self) -> tuple[str, str]:
        """Variant and provider."""
        return self.variant, self.provider

    def blocks(self, strict: bool) -> bool:
        """Tell whether it blocks; `strict`: what could not be decided blocks too, unless it is no worse."""
        if self.verdict is not Verdict.UNDECIDED:
            return self.verdict in _BLOCKING
        known = self.interval is not None and self.limit is not None and self.quantity in _OF_INTERVALS
        return strict and not (known and self.interval[1] <= 1 + self.limit)  # type: ignore[index, operator]


def blocking(findings: Iterable[Finding], strict: bool) -> list[Finding]:
    """Return the findings that block, in their order."""
    return [one for one in findings if one.blocks(strict)]


def compares_latency(findings: Iterable[Finding]) -> bool:
    """Tell whether a latency was compared at all: without one, the gate has not done its work."""
    return any(one.quantity is Quantity.LATENCY and one.ratio is not None for one in findings)
