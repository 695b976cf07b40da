"""A runtime that remembers answers is told from one that is disturbed, or has its input in a faster cache."""

import numpy as np
import pytest

from bench.statistics.repeats import gain_of_repeating

SLOW, FAST = [2_000_000] * 16, [10_000] * 16


@pytest.mark.parametrize(
    ("first", "again", "gain"),
    [
        pytest.param(SLOW, FAST, 200.0, id="remembers"),
        pytest.param(SLOW, [*FAST[1:], 9_000_000], 200.0, id="remembers, and is disturbed once"),
        pytest.param(SLOW, SLOW, None, id="does not"),
        pytest.param([1_400_000] * 16, [1_000_000] * 16, None, id="finds its input in a faster cache"),
        pytest.param([*SLOW[:8], *FAST[:8]], [*FAST[:8], *SLOW[:8]], None, id="is disturbed"),
        pytest.param(FAST, SLOW, None, id="slower again"),
        pytest.param(SLOW[:8], FAST[:8], None, id="too few to tell"),
        pytest.param(SLOW, [0] * 16, 2e6, id="takes no time"),
        pytest.param([], [], None, id="none"),
    ],
)
def test_only_a_large_gain_of_nearly_all_inputs_counts(
    first: list[int], again: list[int], gain: float | None
) -> None:
    assert gain_of_repeating(first, again) == gain


def test_a_noisy_machine_is_not_taken_for_a_runtime_that_remembers() -> None:
    noise = np.random.default_rng(0)
    runs = (noise.lognormal(10, 1, (2, 16)).astype(int).tolist() for _ in range(2000))

    assert sum(gain_of_repeating(first, again) is not None for first, again in runs) <= 4
