"""Published latencies from profiles: for scaling, as a basis, and as the nearest figure.

Pure: it takes profiles and returns values.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bench.devices.projection.scaling import Cell, Scaling, Speeds, Work, fit
from device_profiles.facts import Published
from device_profiles.profile import Profile

MOBILENET_V2 = "mobilenet_v2"
_SIDE = 224
# Convolutions and matrix products of torchvision's mobilenet_v2 for 1000 classes at 224×224, counted from its
# shapes; traffic is inputs, weights and outputs of each, in fp32.
MOBILENET_V2_WORK = Work(gmacs=0.3008, traffic_mb=67.7)
# The one runtime with latencies of one network on enough devices.
_RUNTIME_OF_SCALING = "ncnn"
_CPU = "cpu"


@dataclass(frozen=True)
class Basis:
    """A published latency that a projection may be based on, and its device."""

    profile: Profile
    latency: Published
    work: Work


def work_of(latency: Published) -> Work | None:
    """Return the work of a published latency's network; None if it is unknown."""
    if latency.network == MOBILENET_V2 and latency.image_size == _SIDE:
        return MOBILENET_V2_WORK
    if latency.gmacs is None or latency.traffic_mb is None:
        return None
    return Work(latency.gmacs, latency.traffic_mb)


def speeds_of(profile: Profile) -> Speeds | None:
    """Return a device's speeds for scaling: what one core's instructions allow, and how fast it copies."""
    peaks = {
        rate.precision: rate.value
        for rate in profile.rates
        if rate.operation == "peak" and rate.cores == 1 and rate.precision is not None
    }
    copies = [
        rate.value
        for rate in profile.rates
        if (rate.operation, rate.cores) == ("copy", 1) and rate.describes_the_device
    ]
    if "fp32" not in peaks or not copies:
        return None
    peaks.setdefault("fp16", peaks["fp32"])  # without half-precision arithmetic, fp16 is computed in fp32
    return Speeds({str(name): value for name, value in peaks.items()}, copies[0])


def cells_of_scaling(profiles: Iterable[Profile]) -> list[Cell]:
    """Return the published cells that the scaling between devices is fitted to."""
    return [
        Cell(profile.name, speeds, latency.threads, latency.precision, latency.ms)
        for profile in profiles
        if (speeds := speeds_of(profile)) is not None
        for latency in profile.published
        if (latency.runtime, latency.network) == (_RUNTIME_OF_SCALING, MOBILENET_V2)
        and latency.provider == _CPU
        and latency.threads is not None
    ]


def scaling_between(profiles: Iterable[Profile]) -> Scaling:
    """Return how latencies scale between devices, fitted to their published latencies."""
    return fit(MOBILENET_V2_WORK, cells_of_scaling(profiles))


def basis_for(
    device: Profile,
    runtime: str,
    precision: str,
    threads: int,
    profiles: Sequence[Profile],
    network: str,
    image_size: int,
) -> Basis | None:
    """Return the published latency of a runtime that is nearest to a case on a device's class of processor.

    The nearest has the same precision, then the same network, the same device, the same threads. None if no
    suitable latency was published.
    """
    assert device.processor is not None
    family = device.processor.family
    bases = [
        Basis(profile, latency, work)
        for profile in _without_twice(device, profiles)
        if profile.processor is not None and profile.processor.family == family
        for latency in profile.published
        if (latency.runtime, latency.provider) == (runtime, _CPU)
        if (work := work_of(latency)) is not None
        and (speeds := speeds_of(profile)) is not None
        and latency.precision in speeds.gmacs_per_s
    ]
    return min(
        bases,
        key=lambda basis: (
            basis.latency.precision != precision,
            not is_of(basis.latency, network, image_size),
            basis.profile.name != device.name,
            basis.latency.threads not in (None, threads),
        ),
        default=None,
    )


def _without_twice(device: Profile, profiles: Sequence[Profile]) -> Iterator[Profile]:
    yield device
    yield from (profile for profile in profiles if profile.name != device.name)


def nearest_published(
    device: Profile, runtime: str, provider: str, precision: str, network: str, image_size: int
) -> Published | None:
    """Return the device's own published latency nearest to a case: by network, runtime, place, precision."""
    return min(
        device.published,
        key=lambda latency: (
            not is_of(latency, network, image_size),
            latency.network != network,
            latency.runtime != runtime,
            latency.provider != provider,
            latency.precision != precision,
        ),
        default=None,
    )


def is_of(latency: Published, network: str, image_size: int) -> bool:
    """Return whether a latency is of this network at this size."""
    return (latency.network, latency.image_size) == (network, image_size)
