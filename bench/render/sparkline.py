"""A series as a line of eight heights. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

_HEIGHTS = "▁▂▃▄▅▆▇█"
# A series whose values lie nearer together than this is drawn flat: noise is no shape.
_FLAT = 0.05


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw at least one value in at most `width` characters, from its lowest (▁) to its highest (█)."""
    count = min(width, len(values))
    bounds = [index * len(values) // count for index in range(count + 1)]
    levels = [median(values[low:high]) for low, high in pairwise(bounds)]
    lowest = min(levels)
    reach = max(max(levels) - lowest, _FLAT * lowest)
    top = len(_HEIGHTS) - 1
    return "".join(_HEIGHTS[round((level - lowest) / reach * top)] for level in levels)
