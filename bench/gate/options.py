"""What a check is asked to do: the variants, the limits, and the time for each variant."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import Field

from bench.bundle.variants import choose
from bench.record import Record
from bench.statistics.accuracy import MIN_AGREEMENT

# At these limits hardly any equal bundles blocked: `tests/benchmarks/gate.py` checks bundles side by side,
# `report_gate.py` checks reports, where 15 % was the narrowest limit. Model files are measured as bundles
# are.
DEFAULT_SLOWDOWN = {"bundles": 0.05, "models": 0.05, "reports": 0.15}

# With the examination that comes first, nine variants then take less than five minutes, unless some seem to
# be worse.
DEFAULT_SECONDS = 25.0


class Limits(Record):
    """How much worse a candidate may be, as shares of the baseline: 0.05 is 5 %."""

    max_slowdown: float = Field(default=DEFAULT_SLOWDOWN["bundles"], ge=0)
    """The largest increase of latency."""
    max_load_slowdown: float = Field(default=0.25, ge=0)
    """The largest increase of the time to load an artifact."""
    max_memory_growth: float = Field(default=0.05, ge=0)
    """The largest increase of peak memory."""
    max_growth: float = Field(default=0.01, ge=0)
    """The largest increase of an artifact's size."""
    min_retention: float = Field(default=0.99, ge=0, le=1)
    """The smallest candidate's accuracy ÷ baseline's accuracy."""
    min_agreement: float = Field(default=MIN_AGREEMENT, ge=0, le=1)
    """The smallest share of inputs with the baseline's class, for outputs that are classes without labels.
    With labels it is no limit: an accuracy is called BETTER only if this share is reached."""
    min_sqnr_db: float = 20.0
    """The smallest signal-to-quantisation-noise ratio of other outputs, with the baseline's as the signal, in
    dB. At 20 dB the error is a tenth of the output."""
    judged_output: str | None = None
    """The only output of model files to which these limits apply; null for all of them."""


@dataclass(frozen=True)
class CheckOptions:
    """The options of a check."""

    only: tuple[str, ...] = ()
    """The variants to compare; empty for all."""
    limits: Limits = field(default_factory=Limits)
    """How much worse the candidate may be."""
    seconds: float = DEFAULT_SECONDS
    """The time to measure each variant; what a decided one leaves, the others get."""
    skip_equal: bool = False
    """Whether variants with equal files are not measured."""
    strict: bool = False
    """Whether an undecided finding blocks too."""

    keep_environment: bool = False
    """Whether the measured processes keep the variables that decide the threads and kernels of libraries."""

    def selected(self, names: Iterable[str]) -> set[str]:
        """Return the variants to compare. Raises InputError if `only` has one that is not in `names`."""
        known = list(dict.fromkeys(names))
        return {choose(name, known, "variant") for name in self.only} or set(known)
