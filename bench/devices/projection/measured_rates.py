"""The rates that calibration measured, as projections compare two machines by them. Pure."""

from collections.abc import Iterable, Sequence

from device_profiles.facts import Rate

Convolutions = dict[str, Rate]


def convolutions(rates: Iterable[Rate], runtime: str, cores: int | None = None) -> Convolutions:
    """Return a runtime's measured rates of convolutions by precision, on `cores` cores or the most."""
    found = [
        rate
        for rate in _measured(rates, "convolution")
        if (rate.runtime or "").startswith(runtime) and cores in (None, rate.cores)
    ]
    most = max((rate.cores for rate in found), default=0)
    return {str(rate.precision): rate for rate in found if rate.cores == most}


def copying(rates: Iterable[Rate]) -> Rate | None:
    """Return the measured rate of copying on the most cores; None if there is none."""
    return max(_measured(rates, "copy"), key=lambda rate: rate.cores, default=None)


def gain_of_int8(found: Convolutions) -> float | None:
    """Return int8's rate ÷ fp32's; None if one of them was not measured."""
    return found["int8"].value / found["fp32"].value if {"int8", "fp32"} <= found.keys() else None


def _measured(rates: Iterable[Rate], of: str) -> Sequence[Rate]:
    return [
        rate
        for rate in rates
        if (rate.operation, rate.kind) == (of, "measured") and rate.describes_the_device
    ]
