"""Alpha spending: how sure each test must be if it is repeated after every process. Pure; numpy only.

A test at 5 % that is repeated twenty times, and ends with the first success, errs in far more than 5 % of
cases. Alpha spending gives each of them a share of the error, and all together err no more than one would.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

# The range and the number of points on which a density is known. The range holds all but 1e-15 of it.
_RANGE = 8.0
_POINTS = 250


@lru_cache(maxsize=256)
def nominal_errors(error: float, processes: tuple[int, ...]) -> tuple[float, ...]:
    """Return the one-sided error of each test, so that all together err with `error`.

    `processes`: their numbers after which is tested, ascending. The error is spent by Lan and DeMets'
    function that resembles Pocock's, error · ln(1 + (e − 1) · t), where t is the share of the last test's
    processes (Biometrika 70, 1983). Tests are correlated, because a later one includes the data of the
    earlier ones; the recursion over them is that of Armitage, McPherson and Rowe (JRSS A 132, 1969). The
    errors are applied to p-values of Student's t (Jennison and Turnbull, Group Sequential Methods, 2000,
    section 11.4). `tests/benchmarks/gate_simulation.py` prints how often the gate errs.
    """
    times = [count / processes[-1] for count in processes]
    spent = [error * math.log(1 + (math.e - 1) * time) for time in times]
    bounds = _bounds(times, [after - before for before, after in pairwise([0.0, *spent])])
    return tuple(math.erfc(bound / math.sqrt(2)) / 2 for bound in bounds)


def _bounds(times: Sequence[float], spent: Sequence[float]) -> list[float]:
    """Return the standard normal bound of each test: a walk first exceeds it with the probability `spent`.

    The walk is a Brownian motion without drift.
    """
    grid = np.linspace(-_RANGE, _RANGE, _POINTS) * math.sqrt(times[0])
    density = np.exp(-(grid**2) / (2 * times[0])) / math.sqrt(2 * math.pi * times[0])
    bounds = []
    for before, (time, share) in zip([None, *times], zip(times, spent, strict=True), strict=False):
        if before is not None:
            grid, density = _moved(grid, density, time - before, time)
        bound = _exceeded(grid, density, share)
        bounds.append(bound / math.sqrt(time))
        cell = grid[1] - grid[0]
        density = density * np.clip((bound - grid) / cell + 0.5, 0, 1)  # the cell of the bound counts in part
    return bounds


def _moved(grid: Values, density: Values, step: float, time: float) -> tuple[Values, Values]:
    """Return the density of the walk a step later, and its points."""
    later = np.linspace(-_RANGE, _RANGE, _POINTS) * math.sqrt(time)
    distance = later[:, None] - grid[None, :]
    kernel = np.exp(-(distance**2) / (2 * step)) / math.sqrt(2 * math.pi * step)
    return later, kernel @ density * (grid[1] - grid[0])


def _exceeded(grid: Values, density: Values, share: float) -> float:
    """Return the value that the density exceeds with the probability `share`."""
    areas = (density[1:] + density[:-1]) / 2 * (grid[1] - grid[0])
    above = np.append(np.cumsum(areas[::-1])[::-1], 0.0)
    place = int(np.flatnonzero(above >= share)[-1])
    high, low = math.log(above[place]), math.log(max(above[place + 1], 1e-300))
    weight = (high - math.log(share)) / (high - low)
    return float(grid[place] + weight * (grid[place + 1] - grid[place]))
