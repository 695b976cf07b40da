"""How a latency on one processor becomes one on another: two terms, and how far that is to be trusted.

    time = A × (multiply-accumulates ÷ (rate × threads) + B × bytes ÷ bandwidth)

`rate` is what the instructions allow one core, `bandwidth` what one core copies; threads do not widen it,
because on most boards one core fills it. A cancels in every ratio; B is fitted to published latencies of one
network in one runtime on several devices. Pure: values in, values out; it knows no profile and no report.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# B lies between these for any machine; they bound the search, and the fit lies far from both.
_B_RANGE = (0.02, 50.0)
_STEPS = 400
_BYTES_OF = {"fp32": 4, "fp16": 2, "int8": 1}


@dataclass(frozen=True)
class Speeds:
    """One processor. `gmacs_per_s`: of one core, by precision; `copy_gb_per_s`: of one core."""

    gmacs_per_s: dict[str, float]
    copy_gb_per_s: float


@dataclass(frozen=True)
class Work:
    """What one inference does: 10^9 multiply-accumulates, and 10^6 bytes read and written, in fp32."""

    gmacs: float
    traffic_mb: float


@dataclass(frozen=True)
class Setting:
    """A device with a number of threads, computing in a precision."""

    device: str
    speeds: Speeds
    threads: int
    precision: str


@dataclass(frozen=True)
class Cell(Setting):
    """A published latency of one piece of work in a setting."""

    ms: float


@dataclass(frozen=True)
class Scaling:
    """`bytes_weight`: B; `reach`: the logarithm of the factor up and down of a new device's 80 % range."""

    bytes_weight: float
    reach: float

    def ratio(self, work: Work, to: Setting, of: Setting) -> float:
        """Return how many times as long the work takes on `to` as on `of`."""
        return _time(work, to, self.bytes_weight) / _time(work, of, self.bytes_weight)


@dataclass(frozen=True)
class LeftOut:
    """A cell and what the others project for it, in ms."""

    cell: Cell
    low: float
    middle: float
    high: float

    @property
    def is_inside(self) -> bool:
        """Whether the published latency lies in the projected range."""
        return self.low <= self.cell.ms <= self.high


def fit(work: Work, cells: Sequence[Cell]) -> Scaling:
    """Fit B to cells of at least three devices, and the reach to how far the devices miss each other.

    The reach is that of a device nobody has measured: each device in turn is projected from the others, and
    the worst of these errors is taken, because two cells of one device err together and the devices are the
    unit. Were they alike in kind, a new one would err less with a probability of about n ÷ (n + 1) for n of
    them (conformal prediction; Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, 2005).
    `tests/benchmarks/projection_error.py` prints what it holds, and how wide it is.
    """
    bytes_weight, _ = _fit(work, cells)
    return Scaling(bytes_weight, max(abs(error) for error in _errors_by_device(work, cells)))


def leave_one_out(work: Work, cells: Sequence[Cell], by_device: bool = False) -> Iterator[LeftOut]:
    """Project each cell from the others; `by_device`: from those of other devices alone."""
    for left in cells:
        if by_device:
            others = [cell for cell in cells if cell.device != left.device]
        else:
            others = [cell for cell in cells if cell is not left]
        middle = _project(work, others, left)
        factor = math.exp(fit(work, others).reach)
        yield LeftOut(left, middle / factor, middle, middle * factor)


def from_each_other_device(work: Work, cells: Sequence[Cell]) -> Iterator[LeftOut]:
    """Project each cell from each one of other devices, as a single published run has to serve for one.

    B and the reach are those of a fit that does not know the cell's device.
    """
    for left in cells:
        others = [cell for cell in cells if cell.device != left.device]
        scaling = fit(work, others)
        for cell in others:
            middle = cell.ms * scaling.ratio(work, left, cell)
            factor = math.exp(scaling.reach)
            yield LeftOut(left, middle / factor, middle, middle * factor)


def _errors_by_device(work: Work, cells: Sequence[Cell]) -> Iterator[float]:
    for device in dict.fromkeys(cell.device for cell in cells):
        others = [cell for cell in cells if cell.device != device]
        for cell in cells:
            if cell.device == device:
                yield math.log(cell.ms / _project(work, others, cell))


def _project(work: Work, others: Sequence[Cell], cell: Setting) -> float:
    bytes_weight, scale = _fit(work, others)
    return scale * _time(work, cell, bytes_weight)


def _fit(work: Work, cells: Sequence[Cell]) -> tuple[float, float]:
    """Return B and A with the least squares of the logarithms' errors; A has a closed form for each B."""
    logs = np.log([cell.ms for cell in cells])
    weights = np.geomspace(*_B_RANGE, _STEPS)
    times = np.log([[_time(work, cell, weight) for cell in cells] for weight in weights])
    scales = (logs - times).mean(axis=1)
    squares = ((logs - times - scales[:, None]) ** 2).sum(axis=1)
    best = int(np.argmin(squares))
    return float(weights[best]), math.exp(float(scales[best]))


def _time(work: Work, setting: Setting, bytes_weight: float) -> float:
    """Return milliseconds but for the factor A. Values of half precision are stored in half as many bytes."""
    speeds = setting.speeds
    computing = 1e3 * work.gmacs / (speeds.gmacs_per_s[setting.precision] * setting.threads)
    moving = work.traffic_mb * _BYTES_OF[setting.precision] / _BYTES_OF["fp32"] / speeds.copy_gb_per_s
    return computing + bytes_weight * moving
