"""Several exact tests at once: which are significant together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ExactTest:
    """An exact test's p-value, and the smallest one that its data could have given."""

    p: float
    """The chance of a result at least as extreme."""
    least_p: float
    """The p-value if every change had gone in one direction."""


def significant(tests: Sequence[ExactTest], error: float) -> list[bool]:
    """Tell which tests are significant, so that chance makes any of them so at most with `error`.

    Hochberg's step-up (Biometrika 75, 1988): with the p-values in order, all tests up to the last one whose
    p-value is at most `error` ÷ the number of tests from it to the largest. Tests that no outcome could have
    made significant do not count (Tarone, Biometrics 46, 1990). Whether they do depends on the number of
    changes alone, and not on their direction.
    """
    counted = _able(tests, error)
    for rank, last in enumerate(sorted(counted, key=lambda index: tests[index].p, reverse=True), start=1):
        if tests[last].p <= error / rank:
            return [index in counted and test.p <= tests[last].p for index, test in enumerate(tests)]
    return [False] * len(tests)


def _able(tests: Sequence[ExactTest], error: float) -> set[int]:
    """Return the tests that could be significant: at most k of them at `error` ÷ k, for the smallest k."""
    for divisor in range(1, len(tests) + 1):
        able = {index for index, test in enumerate(tests) if test.least_p <= error / divisor}
        if len(able) <= divisor:
            return able
    return set()
