"""Whether inputs that a runtime had before take less time, as if it remembered its answers. Pure."""

from collections.abc import Sequence
from statistics import median

from bench.statistics.sign_flips import binomial_tail

# So small a chance of an error, and so large a difference, because every row of every report is tested.
_ERROR = 0.001
_LEAST_RATIO = 1.5


def gain_of_repeating(first_ns: Sequence[int], again_ns: Sequence[int]) -> float | None:
    """Return how many times as long an input takes when it is new, and None if it may take as long again.

    Both have the same inputs in the same order. The test is the one-sided sign test: input by input, new ones
    take longer. Smaller gains come of caches of the processor, and no answer was remembered.
    """
    faster = sum(first <= again for first, again in zip(first_ns, again_ns, strict=True))
    if not again_ns or binomial_tail(len(again_ns), faster) > _ERROR:
        return None
    gain = median(first_ns) / max(1.0, median(again_ns))
    return gain if gain >= _LEAST_RATIO else None
