"""Statistics over several processes: the interval of a case's median, and ratios of two cases.

Pure: it takes processes and returns values. An interrupted and resumed repetition has two processes, and
counts once.
"""

import math
from collections.abc import Callable, Sequence
from statistics import median

from bench.measurements import ProcessTiming
from bench.statistics.replication import Interval, Ratio, median_interval, ratio_of_pairs

Level = Callable[[Sequence[int]], float]
_Repetition = tuple[int, int]


def interval_of_median(processes: Sequence[ProcessTiming]) -> Interval | None:
    """Return the 95 % interval of the median of all samples; None with fewer than five repetitions."""
    repetitions: dict[_Repetition, list[int]] = {}
    for process in processes:
        samples = repetitions.setdefault((process.group, process.repetition), [])
        samples += [ns for block in process.blocks for ns in block.ns]
    everything = [ns for samples in repetitions.values() for ns in samples]
    return median_interval(
        float(median(everything)), [float(median(samples)) for samples in repetitions.values()]
    )


def ratio(
    these: Sequence[ProcessTiming], those: Sequence[ProcessTiming], level: Level = median
) -> Ratio | None:
    """Return the latency of `these` ÷ that of `those`, from the passes in which both have a block.

    `level`: the statistic of a block's samples. Single samples do not change the median. If another process
    shares the CPUs, latencies come in steps of the scheduler's time slices, and a median on one step hides a
    difference that the mean shows. None if they have no pass in common, as in different groups.
    """
    return ratio_of_pairs(_paired_logs(these, those, level))


def log_ratios(these: Sequence[ProcessTiming], those: Sequence[ProcessTiming], level: Level) -> list[float]:
    """Return the logarithm of `these` ÷ `those` for each repetition: the median over the passes of both."""
    return [median(logs) for logs in _paired_logs(these, those, level) if logs]


def _paired_logs(
    these: Sequence[ProcessTiming], those: Sequence[ProcessTiming], level: Level
) -> list[list[float]]:
    """Return the logarithms of the ratios of their blocks, by pass, for each repetition that both have."""
    others = _levels(those, level)
    return [
        [
            math.log(level / others[place][pass_index])
            for pass_index, level in passes.items()
            if pass_index in others[place]
        ]
        for place, passes in _levels(these, level).items()
        if place in others
    ]


def _levels(processes: Sequence[ProcessTiming], level: Level) -> dict[_Repetition, dict[int, float]]:
    """Return the level of each block by pass, for each repetition of each group."""
    levels: dict[_Repetition, dict[int, float]] = {}
    for process in processes:
        passes = levels.setdefault((process.group, process.repetition), {})
        passes.update({block.pass_index: float(level(block.ns)) for block in process.blocks})
    return levels
