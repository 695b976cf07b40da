"""How often the interval of the median holds the truth: `interval_coverage.py [REPORT…]`.

Simulated: processes that differ by a few percent, samples with noise and a slow tail, a machine that flickers
between two speeds, and sampling that ends at one of four looks. The truth is the median over very many
processes. Real: the processes of each row of a report (made with a profile whose `check_after_processes` is
[40] or more) are taken as the population: five drawn from them give an interval, and the median of all is the
truth.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.report.files import read_report
from bench.statistics.processes import interval_of_median
from bench.statistics.replication import median_interval

Samples = npt.NDArray[np.float64]
CHECK_AFTER_PROCESSES = (5, 8, 12, 20)
# The time is over after seven processes, whatever the interval is.
OUT_OF_TIME = (5, 7)
FEWEST_REAL = 40
SAMPLES = 100
TRIALS = 4000
POPULATION = 20_000


def steady(random: np.random.Generator, processes: int) -> Samples:
    """Processes that differ by 1.5 %, samples with 2 % noise and one in twenty 30 % slower."""
    levels = 10 * np.exp(random.normal(0, 0.015, (processes, 1)))
    samples = levels * np.exp(random.normal(0, 0.02, (processes, SAMPLES)))
    return np.where(random.random(samples.shape) < 0.05, samples * 1.3, samples)


def skewed(random: np.random.Generator, processes: int) -> Samples:
    """The same, and one process in ten is unlucky with its memory: 8 % slower."""
    unlucky = np.where(random.random((processes, 1)) < 0.1, 1.08, 1.0)
    return steady(random, processes) * unlucky


def flickering(random: np.random.Generator, processes: int) -> Samples:
    """The same as steady on a machine that is 1.5 times slower for three tenths of the time, in stretches."""
    stretches = random.random((processes, 10)) < 0.3
    return steady(random, processes) * np.where(np.repeat(stretches, SAMPLES // 10, axis=1), 1.5, 1.0)


def simulated(
    model: Callable[[np.random.Generator, int], Samples], check_after_processes: tuple[int, ...]
) -> tuple[float, float]:
    """Return how often the interval holds the truth, and its median half width."""
    random = np.random.default_rng(11)
    truth = float(np.median(model(random, POPULATION)))
    held, interval = 0, None
    widths: list[float] = []
    for _ in range(TRIALS):
        samples = model(random, check_after_processes[-1])
        for look in check_after_processes:
            medians = list(np.median(samples[:look], axis=1))
            interval = median_interval(float(np.median(samples[:look])), medians)
            assert interval is not None
            if interval.half_width <= 0.02:
                break
        assert interval is not None
        held += interval.low <= truth <= interval.high
        widths.append(interval.half_width)
    return held / TRIALS, float(np.median(widths))


def real(paths: list[Path]) -> tuple[float, int, int]:
    """Return how often five processes' interval holds the median of all, over how many rows and processes.

    Five of at least 40, so that they are hardly the population that they are judged by.
    """
    random = np.random.default_rng(7)
    held, drawn, rows, count = 0, 0, 0, 0
    for report in map(read_report, paths):
        for run in report.runs:
            if not run.is_variant or run.completed is None or len(run.completed.processes) < FEWEST_REAL:
                continue
            processes = run.completed.processes
            everything = [ns for process in processes for block in process.blocks for ns in block.ns]
            truth = float(np.median(everything))
            rows, count = rows + 1, count + len(processes)
            for _ in range(400):
                chosen = random.choice(len(processes), CHECK_AFTER_PROCESSES[0], replace=False)
                interval = interval_of_median([processes[index] for index in chosen])
                assert interval is not None
                held += interval.low <= truth <= interval.high
                drawn += 1
    return (held / drawn if drawn else float("nan")), rows, count


def main() -> None:
    """Print both tables."""
    print(f"simulated, {TRIALS} trials: share of 95 % intervals that hold the truth, median half width")
    for name, model in (("steady", steady), ("skewed", skewed), ("flickering", flickering)):
        for checks in (CHECK_AFTER_PROCESSES[:1], OUT_OF_TIME, CHECK_AFTER_PROCESSES):
            share, width = simulated(model, checks)
            print(f"  {name:<11} checks after {', '.join(map(str, checks)):<12} {share:6.1%}  ±{width:.1%}")
    paths = [Path(word) for word in sys.argv[1:]]
    if paths:
        share, rows, processes = real(paths)
        print(f"real: five of a row's processes hold the median of all of them: {share:.1%}")
        print(f"  ({rows} rows of {len(paths)} reports, {processes} processes)")


if __name__ == "__main__":
    main()
