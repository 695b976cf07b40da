"""Intervals over processes: what a median or a ratio of medians is worth when a fresh process is the unit.

Two processes with the same file differ by more than two blocks of one, so it is processes that are counted.
Pure functions on logarithms of medians; numpy only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_PROCESSES = 5
# Student's t, 97.5 % point, for 1 to 30 degrees of freedom (any table of it; a test holds these to scipy's).
_T975 = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)
_Z975 = 1.9600


@dataclass(frozen=True)
class Interval:
    """A 95 % interval of a positive quantity."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half of its width on the logarithmic scale: 0.02 is about plus or minus 2 %."""
        return math.log(self.high / self.low) / 2


def median_interval(median: float, process_medians: Sequence[float]) -> Interval | None:
    """Return the 95 % interval of `median`, that of all samples, from the median of each process.

    Student's t on the logarithms of the processes' medians, which spread as relative errors do, laid around
    their mean and around `median` alike: where processes are skewed the two differ, and either alone would
    hold the truth too seldom. None with fewer than five processes.
    `tests/benchmarks/interval_coverage.py` prints how often it does.
    """
    if len(process_medians) < FEWEST_PROCESSES:
        return None
    return _interval(math.log(median), [math.log(one) for one in process_medians])


@dataclass(frozen=True)
class Ratio:
    """A ratio of two latencies; `interval` is None with fewer than five pairs of processes."""

    value: float
    interval: Interval | None


def ratio_of_pairs(pairs: Sequence[Sequence[float]]) -> Ratio | None:
    """Return one latency ÷ another from what was measured side by side.

    `pairs`: for each round (a process of each side), the logarithms of the ratios of their blocks, sweep by
    sweep. The ratio is the median over all sweeps, so that a machine that changes its speed between the two
    blocks of some of them does not matter; its interval is made of the medians of the rounds, as
    median_interval makes it. None without a single pair.
    """
    rounds = [float(np.median(logs)) for logs in pairs if len(logs)]
    if not rounds:
        return None
    centre = float(np.median([log for logs in pairs for log in logs]))
    enough = len(rounds) >= FEWEST_PROCESSES
    return Ratio(math.exp(centre), _interval(centre, rounds) if enough else None)


def _interval(estimate: float, logs: Sequence[float]) -> Interval:
    """Return Student's half width around the mean of `logs` and around `estimate`, both logarithms."""
    freedom = len(logs) - 1
    t = _T975[freedom - 1] if freedom <= len(_T975) else _Z975
    mean, half = float(np.mean(logs)), t * float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    return Interval(math.exp(min(mean, estimate) - half), math.exp(max(mean, estimate) + half))
