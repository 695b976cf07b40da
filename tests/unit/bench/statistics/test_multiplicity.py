"""Many questions at once: how often any of them is answered wrongly."""

import numpy as np
import pytest

from bench.statistics.multiplicity import Hypothesis, exact_least_p, hochberg


def of(*values: float) -> list[Hypothesis]:
    return [Hypothesis(p) for p in values]


def test_one_hypothesis_is_rejected_at_the_error_itself() -> None:
    assert hochberg(of(0.1), 0.1) == (True,)
    assert hochberg(of(0.11), 0.1) == (False,)
    assert hochberg([], 0.1) == ()


def test_the_largest_p_value_below_the_error_takes_all_others_with_it() -> None:
    assert hochberg(of(0.1, 0.09, 0.0625), 0.1) == (True, True, True)


def test_the_step_up_is_hochbergs() -> None:
    # Hochberg, 1988: of 4 p-values at 5 %, 0.012 is at most 0.05 ÷ 4, and no larger one reaches its bound.
    assert hochberg(of(0.06, 0.012, 0.026, 0.9), 0.05) == (False, True, False, False)
    assert hochberg(of(0.06, 0.012, 0.016, 0.9), 0.05) == (False, True, True, False)


def test_what_could_not_be_rejected_does_not_count() -> None:
    idle = [Hypothesis(1.0, exact_least_p(changes)) for changes in (0, 1, 2, 3)]

    assert hochberg([Hypothesis(0.0625, exact_least_p(4)), *idle], 0.1) == (True, *[False] * 4)
    assert hochberg([Hypothesis(0.0625), *of(1, 1, 1, 1)], 0.1) == (False,) * 5


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_equal_variants_are_called_worse_in_at_most_one_check_of_ten(shared: float) -> None:
    """Nine equal p-values, independent or of the same images."""
    random = np.random.default_rng(7)
    checks = 4000
    independent = random.random((checks, 9)) >= shared
    common = np.broadcast_to(random.random((checks, 1)), (checks, 9))
    p = np.where(independent, random.random((checks, 9)), common)
    alarms = sum(any(hochberg(of(*map(float, row)), 0.1)) for row in p)

    assert alarms / checks <= 0.115
