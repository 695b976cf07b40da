"""The exact test that flips signs. Pure.

With many changes it takes no longer than milliseconds: only the part of a distribution is added up that a
double can tell from nothing.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# Below so many coins whole numbers give the first term, above it the logarithm of the gamma function.
_COUNTED = 1000
# Smaller terms do not change a sum of doubles.
_NEGLIGIBLE = 1e-18
# So many additions take less than a tenth of a second.
_MOST_ADDITIONS = 10_000_000
# The sum lies within this many standard deviations, but for a chance of 1e-17 (Hoeffding's inequality).
_DEVIATIONS = 9.0


def binomial_tail(coins: int, heads: int) -> float:
    """Return the chance that so many fair coins show at most `heads` heads. Exact to 1e-9 of the chance."""
    if heads < 0 or heads >= coins:
        return float(heads >= coins)
    if 2 * heads >= coins:
        return 1 - binomial_tail(coins, coins - heads - 1)
    term = total = _chance_of_heads(coins, heads)
    while heads and term > _NEGLIGIBLE * total:
        term *= heads / (coins - heads + 1)
        total += term
        heads -= 1
    return min(1.0, total)


def _chance_of_heads(coins: int, heads: int) -> float:
    """Return the chance that so many fair coins show exactly `heads` heads."""
    if coins <= _COUNTED:
        return math.comb(coins, heads) / (1 << coins)
    ways = math.lgamma(coins + 1) - math.lgamma(heads + 1) - math.lgamma(coins - heads + 1)
    return math.exp(ways - coins * math.log(2))


def chance_of(differences: Sequence[int] | npt.NDArray[np.int64]) -> float:
    """Return how often the sum is at least as large if each difference has its sign by chance.

    Fisher, The Design of Experiments, 1935. For differences of one size this is McNemar's exact test,
    one-sided. Otherwise it is exact for few differences; for many the chance is off by less than 1e-12.
    """
    changes = np.asarray(differences, dtype=np.int64)
    changes = changes[changes != 0]
    sizes = Counter(map(int, np.abs(changes)))
    if len(sizes) <= 1:
        return binomial_tail(len(changes), int((changes < 0).sum()))
    observed, reach = int(changes.sum()), sum(size * count for size, count in sizes.items())
    if len(changes) * reach <= _MOST_ADDITIONS:
        return _added_one_by_one(sizes, reach, observed)
    return _by_transform(sizes, reach, observed)


def _added_one_by_one(sizes: Counter[int], reach: int, observed: int) -> float:
    # sums[i]: the chance of the sum i - reach.
    sums = np.zeros(2 * reach + 1)
    sums[reach] = 1.0
    for size in sizes.elements():
        sums = (np.roll(sums, size) + np.roll(sums, -size)) / 2
    return min(1.0, float(sums[reach + observed :].sum()))


def _by_transform(sizes: Counter[int], reach: int, observed: int) -> float:
    """Return the chance from the characteristic function of the sum, a product of powers of cosines."""
    deviation = math.sqrt(sum(count * size**2 for size, count in sizes.items()))
    reach = min(reach, math.ceil(_DEVIATIONS * deviation))
    if observed > reach:
        return 0.0
    if observed <= -reach:
        return 1.0
    length = 1 << (2 * reach + 1).bit_length()
    frequencies = np.arange(length // 2 + 1) * (2 * np.pi / length)
    transformed = np.ones_like(frequencies)
    for size, count in sizes.items():
        transformed *= np.cos(size * frequencies) ** count
    sums = np.fft.fftshift(np.fft.irfft(transformed, length))
    return min(1.0, max(0.0, float(sums[length // 2 + observed :].sum())))
