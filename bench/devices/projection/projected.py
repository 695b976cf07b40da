"""A projection: its basis, its steps, and the range that they give. Others decide which steps apply."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.bundle.variants import Precision
from bench.devices.projection.scaling import Scaling
from bench.measurements import Executed
from bench.record import Record
from bench.units import NS_PER_MS
from device_profiles.facts import Rate
from device_profiles.profile import Profile

# Two published runs of one case, with other versions and systems: 0.96 and 1.05 ms (OpenVINO on the
# i7-1185G7), 168 and 147 ms (onnxruntime on the Pi 5), 75.8 and 72.6 ms (ncnn on the Pi 4 at 1.5 GHz).
_RUN_TO_RUN = math.log(1.15)


class Factor(Record):
    """One step from the basis to the case."""

    what: str
    """The step in words."""
    value: float
    """The factor of this step, in the middle of its range."""
    reach: float
    """The factor, up or down, by which `value` may be wrong."""


class Projected(Record):
    """A latency on the device: a range, and what it is made of.

    The middle of the range is the basis times the values of all factors. The errors of the factors count as
    independent: the logarithms of their reaches add by their squares. The range of a step between devices
    holds more than 80 % of what is published; the ranges of other steps are bounds of what they can do.
    """

    low_ns: float
    """The lower end."""
    high_ns: float
    """The upper end."""
    basis: str
    """The run that it is made from."""
    basis_precision: str
    """That run's precision."""
    basis_ns: float
    """That run's latency."""
    factors: tuple[Factor, ...]
    """The steps from the basis to the case."""


class NoBasis(Record):
    """Why there is no projection."""

    reason: str
    """The reason in one sentence."""


ANOTHER_RUN = Factor(what="another version and system", value=1.0, reach=math.exp(_RUN_TO_RUN))


@dataclass(frozen=True)
class Measured:
    """What a projection needs to know about a case on this host.

    `ms`: its median here; `there`: the precision in which the device would compute it; `relative_to_fp32`: by
    precision, latency ÷ that of fp32 in the same runtime here; `executed`: the graph that ran.
    """

    runtime: str
    ms: float
    there: Precision
    executed: Executed | None
    relative_to_fp32: Mapping[Precision, float]


@dataclass(frozen=True)
class ProjectionTarget:
    """The device of the projection, and what is known about other devices.

    `threads`: those that the device would use; `host_rates`: this host's own with the threads that were
    measured here, by the same workloads that `edgefit profiles calibrate` runs; `host_features`,
    `emulated`: see Host; `network`, `image_size`: of the bundle, or "" and 0 where no network is known.
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


def range_of(basis: float, factors: Sequence[Factor]) -> tuple[float, float]:
    """Return the range that a basis and its factors give, in the unit of the basis."""
    middle = basis * math.prod(factor.value for factor in factors)
    reach = math.exp(math.hypot(*(math.log(factor.reach) for factor in factors)))
    return middle / reach, middle * reach


def projected(basis: str, basis_precision: str, basis_ms: float, factors: Sequence[Factor]) -> Projected:
    """Return the projection that a basis and its factors give."""
    low, high = range_of(basis_ms * NS_PER_MS, factors)
    return Projected(
        low_ns=low,
        high_ns=high,
        basis=basis,
        basis_precision=basis_precision,
        basis_ns=basis_ms * NS_PER_MS,
        factors=tuple(factors),
    )


def between(first: float, second: float) -> tuple[float, float]:
    """Return the middle of two factors on the logarithmic scale, and the factor between it and either."""
    return math.sqrt(first * second), math.sqrt(max(first, second) / min(first, second))
