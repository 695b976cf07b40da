"""Variance between processes, shared over cases as far as their variances agree. Pure.

Five processes tell little about how much processes differ, and nine cases of five tell more, if they differ
alike. How far they do is estimated from the variances themselves: where they agree, each case gets nearly the
common one, and where they do not, nearly its own. This is the moderated t of limma (Smyth, Statistical
Applications in Genetics and Molecular Biology 3, 2004, sections 3 and 6).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from bench.statistics.replication import Estimate

# Above this argument the asymptotic series of the two functions below are exact to 1e-12.
_ASYMPTOTIC = 12.0
_MOST_STEPS = 50
# Variances that agree better than chance share one completely; so many degrees are as good as infinite.
_ALL_SHARED = 1e4


def share_variances(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Return the estimates with errors and degrees of freedom that take the other cases into account.

    An estimate without any variance keeps its own, and so does a single one.
    """
    varied = [estimate for estimate in estimates if estimate.error > 0]
    if len(varied) < 2:
        return list(estimates)
    prior, freedom = _prior(varied)
    most = sum(estimate.freedom for estimate in varied)
    return [
        _moderated(estimate, prior, freedom, most) if estimate.error > 0 else estimate
        for estimate in estimates
    ]


def _moderated(estimate: Estimate, prior: float, prior_freedom: float, most: int) -> Estimate:
    """Return the estimate with the mean of its own variance and the common one, by degrees of freedom.

    `most`: the degrees of freedom of all estimates together, which none can exceed (as in limma).
    """
    own, freedom = _variance(estimate), estimate.freedom
    variance = (prior_freedom * prior + freedom * own) / (prior_freedom + freedom)
    error = math.sqrt(variance / (freedom + 1))
    return replace(estimate, error=error, freedom=min(most, math.floor(freedom + prior_freedom)))


def _variance(estimate: Estimate) -> float:
    return estimate.error**2 * (estimate.freedom + 1)


def _prior(estimates: Sequence[Estimate]) -> tuple[float, float]:
    """Return the common variance and its degrees of freedom, from the moments of the logarithms."""
    logs = [
        math.log(_variance(estimate)) - digamma(estimate.freedom / 2) + math.log(estimate.freedom / 2)
        for estimate in estimates
    ]
    centre = fmean(logs)
    spread = sum((log - centre) ** 2 for log in logs) / (len(logs) - 1)
    excess = spread - fmean(trigamma(estimate.freedom / 2) for estimate in estimates)
    if excess <= 0:
        return math.exp(centre), _ALL_SHARED
    half = _trigamma_inverse(excess)
    return math.exp(centre + digamma(half) - math.log(half)), min(2 * half, _ALL_SHARED)


def digamma(value: float) -> float:
    """Return the derivative of the gamma function's logarithm (Abramowitz and Stegun, 6.3.5 and 6.3.18)."""
    below = 0.0
    while value < _ASYMPTOTIC:
        below, value = below + 1 / value, value + 1
    square = 1 / value**2
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square * (1 / 240 - square / 132))))
    return math.log(value) - 1 / (2 * value) - series - below


def trigamma(value: float) -> float:
    """Return the derivative of `digamma` (Abramowitz and Stegun, 6.4.6 and 6.4.12)."""
    below = 0.0
    while value < _ASYMPTOTIC:
        below, value = below + 1 / value**2, value + 1
    square = 1 / value**2
    series = square * (1 / 6 - square * (1 / 30 - square * (1 / 42 - square * (1 / 30 - square * 5 / 66))))
    return 1 / value + square / 2 + series / value + below


def _trigamma_inverse(value: float) -> float:
    """Return the argument at which `trigamma` has a value, by bisection of its logarithm."""
    low, high = math.log(1e-8), math.log(1e8)
    for _ in range(_MOST_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if trigamma(math.exp(middle)) > value else (low, middle)
    return math.exp((low + high) / 2)
