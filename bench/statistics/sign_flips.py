"""The exact test that flips signs. Pure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def chance_of(differences: Sequence[int] | npt.NDArray[np.int64]) -> float:
    """Return how often the sum is at least as large if each difference has its sign by chance. Exact.

    Fisher, The Design of Experiments, 1935. For differences of −1, 0 and 1 this is McNemar's exact test,
    one-sided.
    """
    sizes = [abs(int(difference)) for difference in differences if difference]
    total = sum(sizes)
    # sums[i]: the chance of the sum i - total.
    sums = np.zeros(2 * total + 1)
    sums[total] = 1.0
    for size in sizes:
        sums = (np.roll(sums, size) + np.roll(sums, -size)) / 2
    return min(1.0, float(sums[total + int(np.sum(differences)) :].sum()))
