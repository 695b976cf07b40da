"""The profile that calibration writes: measured rates, merged with what is known already. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.devices.matching import architecture_of
from bench.system.host import Host
from bench.units import BYTES_PER_MIB
from device_profiles.facts import Rate, multiplies_int8_fast
from device_profiles.profile import Profile
from device_profiles.yaml_text import to_yaml

_KHZ_PER_MHZ = 1e3
_IN_ORDER = ("Cortex-A35", "Cortex-A53", "Cortex-A55", "Cortex-A510")
# The profile that gives sampling and budget to a machine that matches no profile.
_FALLBACK = "laptop-cpu"
_COMMAND = "edgefit profiles calibrate"
_HEADER = f"# Written by {_COMMAND}, which may replace it; copy it to change it.\n"


@dataclass(frozen=True)
class Calibrated:
    """The profile of a machine without its rates."""

    content: Mapping[str, Any]
    """The profile's mapping."""
    source: str
    """The source of what was measured."""
    known_rates: Sequence[Rate]
    """The rates in the profile that the machine matches."""

    def with_rates(self, rates: Sequence[Rate]) -> dict[str, Any]:
        """Return the whole content, with the known rates after the measured ones."""
        listed = [rate.model_dump(exclude_defaults=True) for rate in (*rates, *self.known_rates)]
        return {**self.content, "rates": listed}


def calibrated(
    name: str,
    host: Host,
    available_bytes: int,
    highest_clock_khz: int | None,
    matched: Profile | None,
    date: str,
) -> Calibrated:
    """Return the content of a profile `name`, which extends the profile that this machine matches, if any.

    `date`: the date of the calibration, as text.
    """
    source = f"{_COMMAND}, {date}, {host.os}, kernel {host.kernel}"
    if host.emulated is not None:
        source += f", emulated ({host.emulated}): its speed is not the device's"
    measured = {"kind": "measured", "source": source}
    content: dict[str, Any] = {"extends": _FALLBACK if matched is None else matched.name, "name": name}
    content["description"] = f"{host.board or host.cpu}, calibrated."
    if host.has_slow_cores:  # the rates of several cores are those of the fast ones
        content["threads"] = host.fast_cores
    if matched is None:
        content |= {"device": "another", "match": _match(host)}
    content["processor"] = _processor(host, highest_clock_khz, measured)
    content["memory"] = {
        "left_free_mb": {"value": _whole_mib(available_bytes), **measured},
        "sizes_mb": {"value": [_size(host, matched)], **measured, "conditions": "as the system reports it"},
    }
    return Calibrated(content, source, () if matched is None else matched.rates)


def to_file(content: Mapping[str, Any]) -> str:
    """Return the text of the file; its first line marks it as written by calibration."""
    return _HEADER + to_yaml(content)


def was_calibrated(content: bytes) -> bool:
    """Return whether calibration wrote a file, so that no file of the user is replaced."""
    return content.startswith(_HEADER.encode())


def _size(host: Host, matched: Profile | None) -> int:
    """Return the memory that this machine was sold with, in MiB, else what the system reports."""
    reported = -(-host.memory_bytes // BYTES_PER_MIB)
    sold = () if matched is None or matched.memory is None else matched.memory.sizes_mb.value
    return min((size for size in sold if size >= reported), default=reported)


def _match(host: Host) -> dict[str, list[str]]:
    return {"board": [host.board]} if host.board is not None else {"cpu": [host.cpu]}


def _processor(host: Host, clock_khz: int | None, measured: Mapping[str, str]) -> dict[str, Any]:
    clock: dict[str, Any] = {"not_found": "the kernel reports no highest clock (cpufreq)"}
    if clock_khz is not None:
        highest = "the highest that the kernel reports; perhaps only one core can sustain it"
        clock = {"value": clock_khz / _KHZ_PER_MHZ, **measured, "conditions": highest}
    return {
        "core": host.cpu,
        "family": _family(host),
        "architecture": architecture_of(host),
        "cores": {"value": host.physical_cores, **measured},
        "clock_mhz": clock,
        "features": {"value": list(host.cpu_features), **measured},
    }


def _family(host: Host) -> str:
    is_fast = multiplies_int8_fast(host.cpu_features)
    if architecture_of(host) == "x86_64":
        return "x86-vnni" if is_fast else "x86-avx2"
    if host.cpu in _IN_ORDER:
        return "arm-in-order"
    return "arm-dot-product" if is_fast else "arm-out-of-order"


def _whole_mib(count: int) -> int:
    return count // BYTES_PER_MIB
