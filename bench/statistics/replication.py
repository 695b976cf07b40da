"""Intervals of a median or a ratio of medians, in which a fresh process is the unit of replication.

Two processes with the same file differ more than two blocks of one process, so processes are counted. Pure
functions on logarithms of medians; numpy only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

FEWEST_PROCESSES = 5
_MOST_BISECTIONS = 200
_MOST_FREEDOM = 1000
_DIGITS = 4
# The share of the processes that a trimmed mean leaves out at each end.
_TRIMMED_SHARE = 0.1


@dataclass(frozen=True)
class Interval:
    """An interval of a positive quantity, by default with 95 % confidence."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of its width on the logarithmic scale: 0.02 is about plus or minus 2 %."""
        return math.log(self.high / self.low) / 2


@dataclass(frozen=True)
class Estimate:
    """An estimate of a positive quantity's logarithm from several processes.

    `value`: of all samples together; `mean`: that of the processes' own, with its standard `error` and
    `freedom` (degrees of freedom).
    """

    value: float
    mean: float
    error: float
    freedom: int

    def interval(self, confidence: float = 0.95) -> Interval:
        """Return the interval of the quantity itself.

        It is Student's t on the logarithms, which vary like relative errors, around both their mean and the
        value. If processes are skewed the two differ, and an interval around one of them would contain the
        true value too rarely. `tests/benchmarks/interval_coverage.py` prints how often it does.
        """
        half = self.half_width(self.freedom + 1, confidence)
        return Interval(
            math.exp(min(self.mean, self.value) - half), math.exp(max(self.mean, self.value) + half)
        )

    def half_width(self, processes: int, confidence: float = 0.95) -> float:
        """Return that of the logarithm's interval if so many processes spread as these do."""
        spread = self.error * math.sqrt((self.freedom + 1) / processes)
        return t_quantile((1 + confidence) / 2, processes - 1) * spread

    def less(self, other: "Estimate") -> "Estimate":
        """Return the logarithm of the quotient of two independent quantities (Welch and Satterthwaite)."""
        one, two = self.error**2, other.error**2
        weights = one**2 / self.freedom + two**2 / other.freedom
        freedom = math.floor((one + two) ** 2 / weights) if weights else self.freedom + other.freedom
        return Estimate(self.value - other.value, self.mean - other.mean, math.sqrt(one + two), freedom)


def estimate_of(value: float, processes: Sequence[float]) -> Estimate | None:
    """Return the estimate from one logarithm per process; None with fewer than five processes."""
    if len(processes) < FEWEST_PROCESSES:
        return None
    error = float(np.std(processes, ddof=1)) / math.sqrt(len(processes))
    return Estimate(value, float(np.mean(processes)), error, len(processes) - 1)


def trimmed_estimate(processes: Sequence[float]) -> Estimate | None:
    """Return the estimate of their mean without the lowest and the highest tenth of the processes.

    None with fewer than five processes; with fewer than ten, none is left out. While other programs run, a
    few processes are several times slower than the others, and a mean would follow them. The error is that
    of a trimmed mean, from the winsorised variance (Tukey and McLaughlin, Sankhya A 25, 1963).
    """
    count = len(processes)
    if count < FEWEST_PROCESSES:
        return None
    ordered, cut = np.sort(processes), int(_TRIMMED_SHARE * count)
    kept = ordered[cut : count - cut]
    squares = float(np.var(np.clip(ordered, kept[0], kept[-1]), ddof=1)) * (count - 1)
    error = math.sqrt(squares / (len(kept) * (len(kept) - 1)))
    mean = float(np.mean(kept))
    return Estimate(mean, mean, error, len(kept) - 1)


def median_interval(median: float, process_medians: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of `median`, that of all samples, from the median of each process."""
    estimate = estimate_of(math.log(median), [math.log(median_ns) for median_ns in process_medians])
    return None if estimate is None else estimate.interval()


@dataclass(frozen=True)
class Ratio:
    """A ratio of two latencies; `estimate`: of its logarithm, None with fewer than five pairs."""

    value: float
    estimate: Estimate | None

    @property
    def interval(self) -> Interval | None:
        """Its 95 % interval."""
        return None if self.estimate is None else self.estimate.interval()


def ratio_of_pairs(pairs: Sequence[Sequence[float]]) -> Ratio | None:
    """Return one latency ÷ another from a paired run.

    `pairs`: for each repetition (a process of each side), the logarithms of the ratios of their blocks, by
    pass. The ratio is the median over all passes, so a change of speed between the two blocks of some passes
    has no effect. Its interval is computed from the medians of the repetitions. None without any pair.
    """
    repetitions = [float(np.median(logs)) for logs in pairs if len(logs)]
    if not repetitions:
        return None
    centre = float(np.median([log for logs in pairs for log in logs]))
    return Ratio(math.exp(centre), estimate_of(centre, repetitions))


@lru_cache(maxsize=4096)
def t_quantile(share: float, freedom: int) -> float:
    """Return Student's t below which `share` (above a half) of its values lie, for whole degrees of freedom.

    The distribution in closed form (Abramowitz and Stegun, 26.7.3 and 26.7.4), turned round by bisection in
    the angle atan(t ÷ √freedom), to the four digits of printed tables; beyond 1000 degrees the normal's. A
    test compares it with scipy's, which a board does not have.
    """
    if freedom > _MOST_FREEDOM:
        return round(NormalDist().inv_cdf(share), _DIGITS)
    low, high = 0.0, math.pi / 2
    for _ in range(_MOST_BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if (1 + _within(middle, freedom)) / 2 < share else (low, middle)
    return round(math.sqrt(freedom) * math.tan(low), _DIGITS)


def _within(angle: float, freedom: int) -> float:
    """Return the probability that |t| is at most √freedom · tan(angle)."""
    sine, cosine = math.sin(angle), math.cos(angle)
    term = cosine if freedom % 2 else 1.0
    total = term if freedom > 1 else 0.0
    for divisor in range(3 if freedom % 2 else 2, freedom - 1, 2):
        term *= cosine**2 * (divisor - 1) / divisor
        total += term
    if freedom % 2:
        return 2 / math.pi * (angle + sine * total)
    return sine * total
