"""A projection: the range, what it is made of, and what it is made from. It knows no way to make one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.bundle.variants import Precision
from bench.devices.projection.scaling import Scaling
from bench.measurements import Executed
from bench.record import Record
from device_profiles.facts import Rate
from device_profiles.profile import Profile

# Two published runs of one case, with other versions and systems: 0.96 and 1.05 ms (OpenVINO on the
# i7-1185G7), 168 and 147 ms (onnxruntime on the Pi 5), 75.8 and 72.6 ms (ncnn on the Pi 4 at 1.5 GHz).
_RUN_TO_RUN = math.log(1.15)


class Factor(Record):
    """One step from the basis to the case: the middle, and by which factor up and down it may be off."""

    what: str
    value: float
    reach: float


class Projected(Record):
    """Milliseconds on the device: a range, and what it is made of.

    `basis`: the run that it stands on, of `basis_ms` in `basis_precision`; the middle is that times all
    factors' values. Their reaches are of independent errors, and so add by their squares on the logarithmic
    scale. That of the step between devices held more than 80 % of what is published of them; the others are
    bounds of what a step can do.
    """

    low: float
    high: float
    basis: str
    basis_precision: str
    basis_ms: float
    factors: tuple[Factor, ...]


class NoBasis(Record):
    """Why there is no projection."""

    reason: str


ANOTHER_RUN = Factor(what="another version and system", value=1.0, reach=math.exp(_RUN_TO_RUN))


@dataclass(frozen=True)
class Measured:
    """What this host found of one case, as far as a projection needs it.

    `ms`: its median here; `there`: the precision in which the device would compute it; `relative_to_fp32`: by
    precision, latency ÷ that of fp32 in the same runtime here; `executed`: the graph that ran.
    """

    runtime: str
    ms: float
    there: Precision
    executed: Executed | None
    relative_to_fp32: Mapping[Precision, float]


@dataclass(frozen=True)
class Target:
    """The device projected to, and what is known of others.

    `threads`: those that the device would use; `host_rates`: this host's own with the threads that were
    measured here, by the same workloads that `edgefit profiles calibrate` runs; `host_features`,
    `emulated`: see Host; `network`, `image_size`: of the bundle.
    """

    device: Profile
    profiles: Sequence[Profile]
    scaling: Scaling
    threads: int
    host_rates: Sequence[Rate]
    host_features: Sequence[str]
    emulated: str | None
    network: str
    image_size: int


def range_of(basis_ms: float, factors: Sequence[Factor]) -> tuple[float, float]:
    """Return the range that a basis and its factors give, in ms."""
    middle = basis_ms * math.prod(factor.value for factor in factors)
    reach = math.exp(math.hypot(*(math.log(factor.reach) for factor in factors)))
    return middle / reach, middle * reach


def projected(basis: str, basis_precision: str, basis_ms: float, factors: Sequence[Factor]) -> Projected:
    """Return the projection that a basis and its factors give."""
    low, high = range_of(basis_ms, factors)
    return Projected(
        low=low,
        high=high,
        basis=basis,
        basis_precision=basis_precision,
        basis_ms=basis_ms,
        factors=tuple(factors),
    )


def between(one: float, other: float) -> tuple[float, float]:
    """Return the middle of two factors on the logarithmic scale, and by which factor it misses both."""
    return math.sqrt(one * other), math.sqrt(max(one, other) / min(one, other))
