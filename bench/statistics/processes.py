"""What several processes of a case say together: the interval of their median, and ratios of two cases.

Pure: processes in, values out. A round that was cut off and resumed has two processes, and counts once.
"""

import math
from collections.abc import Callable, Sequence
from statistics import median

from bench.measurements import ProcessTiming
from bench.statistics.replication import Interval, Ratio, median_interval, ratio_of_pairs

Level = Callable[[Sequence[int]], float]
_Round = tuple[int, int]


def interval_of_median(processes: Sequence[ProcessTiming]) -> Interval | None:
    """Return the 95 % interval of the median of all samples; None with fewer than five rounds."""
    rounds: dict[_Round, list[int]] = {}
    for process in processes:
        samples = rounds.setdefault((process.wave, process.round), [])
        samples += [ns for block in process.blocks for ns in block.ns]
    everything = [ns for samples in rounds.values() for ns in samples]
    return median_interval(float(median(everything)), [float(median(samples)) for samples in rounds.values()])


def ratio(
    these: Sequence[ProcessTiming], those: Sequence[ProcessTiming], level: Level = median
) -> Ratio | None:
    """Return the latency of `these` ÷ that of `those`, from the sweeps in which both had their turn.

    `level`: what a block's samples come to. The median is not moved by single samples; where another
    process shares the CPUs, though, latencies come in steps of the scheduler's time slices, and a median that
    stays on its step hides a difference that the mean shows. None if they never took turns with each other,
    which cases of different waves do not.
    """
    others = _levels(those, level)
    pairs = [
        [math.log(level / others[place][sweep]) for sweep, level in sweeps.items() if sweep in others[place]]
        for place, sweeps in _levels(these, level).items()
        if place in others
    ]
    return ratio_of_pairs(pairs)


def _levels(processes: Sequence[ProcessTiming], level: Level) -> dict[_Round, dict[int, float]]:
    """Return the level of each block by sweep, of each round of each wave."""
    levels: dict[_Round, dict[int, float]] = {}
    for process in processes:
        sweeps = levels.setdefault((process.wave, process.round), {})
        sweeps.update({block.sweep: float(level(block.ns)) for block in process.blocks})
    return levels
