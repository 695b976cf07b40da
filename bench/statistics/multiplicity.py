"""Many questions at once, answered so that the chance of any wrong answer is limited. Pure.

If each answer may be wrong once in ten times, some answer about nine variants is wrong most of the time. A
family of hypotheses is judged together: the chance that any is rejected wrongly stays below its error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    """One question: that nothing got worse."""

    p: float
    """The p-value of what was seen."""
    least_p: float = 0.0
    """The smallest p-value that the test could have given: above 0 for an exact test of few changes."""


def exact_least_p(changes: int) -> float:
    """Return the smallest p-value of an exact test of signs, one-sided: that all changes go one way."""
    return 0.5**changes


def hochberg(hypotheses: Sequence[Hypothesis], error: float) -> tuple[bool, ...]:
    """Tell of each hypothesis whether it is rejected. The chance that any is rejected wrongly is `error`.

    Hochberg's step-up (A sharper Bonferroni procedure, Biometrika 75, 1988): of m p-values in ascending
    order, the k smallest are rejected for the largest k whose p-value is at most error ÷ (m − k + 1). It
    holds for p-values that depend on each other positively (Sarkar and Chang, JASA 92, 1997), as those of
    variants that answer the same images do. A hypothesis whose test could not reach the error, whatever was
    seen, cannot be rejected wrongly, and does not count (Tarone, Biometrics 46, 1990).
    """
    counted = sorted(
        (index for index, hypothesis in enumerate(hypotheses) if hypothesis.least_p <= error),
        key=lambda index: hypotheses[index].p,
    )
    largest = max(
        (
            rank
            for rank, index in enumerate(counted, start=1)
            if hypotheses[index].p <= error / (len(counted) - rank + 1)
        ),
        default=0,
    )
    chosen = frozenset(counted[:largest])
    return tuple(index in chosen for index in range(len(hypotheses)))


def holm(count: int, error: float, is_rejected: Callable[[int, float], bool]) -> dict[int, float]:
    """Return the places of the rejected hypotheses, with the error at which each was rejected.

    Holm (Scandinavian Journal of Statistics 6, 1979): each rejection leaves more of the error to the others.
    `is_rejected` tests a hypothesis, by its place, at an error.
    """
    rejected: dict[int, float] = {}
    while len(rejected) < count:
        level = error / (count - len(rejected))
        new = [place for place in range(count) if place not in rejected and is_rejected(place, level)]
        if not new:
            break
        rejected.update(dict.fromkeys(new, level))
    return rejected
