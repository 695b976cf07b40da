"""Pairs the blocks of two cases that took turns. Pure: processes in, a ratio out."""

import math
from collections.abc import Sequence
from statistics import median

from bench.measurements import ProcessTiming
from bench.statistics.replication import Ratio, ratio_of_pairs

_Place = tuple[int, int]


def ratio(these: Sequence[ProcessTiming], those: Sequence[ProcessTiming]) -> Ratio | None:
    """Return the latency of `these` ÷ that of `those`, from the sweeps in which both had their turn.

    None if they never took turns with each other, which cases of different waves do not.
    """
    others = _levels(those)
    pairs = [
        [math.log(level / others[place][sweep]) for sweep, level in sweeps.items() if sweep in others[place]]
        for place, sweeps in _levels(these).items()
        if place in others
    ]
    return ratio_of_pairs(pairs)


def _levels(processes: Sequence[ProcessTiming]) -> dict[_Place, dict[int, float]]:
    """Return the median of each block by sweep, of each round of each wave."""
    levels: dict[_Place, dict[int, float]] = {}
    for process in processes:
        sweeps = levels.setdefault((process.wave, process.round), {})
        sweeps.update({block.sweep: float(median(block.ns)) for block in process.blocks})
    return levels
