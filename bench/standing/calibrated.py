"""The profile that calibration writes: what was measured here, over what is known already. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.machine.host import Host
from device_profiles.facts import Rate
from device_profiles.profile import Profile

_BYTES_PER_MIB = 1 << 20
_KHZ_PER_MHZ = 1e3
_IN_ORDER = ("Cortex-A35", "Cortex-A53", "Cortex-A55", "Cortex-A510")
# What a profile of a machine that none describes takes its sampling and budget from.
_FALLBACK = "laptop-cpu"


def calibrated(
    name: str,
    host: Host,
    available_bytes: int,
    highest_clock_khz: int | None,
    rates: Sequence[Rate],
    known: Profile | None,
    source: str,
) -> dict[str, Any]:
    """Return the content of a profile called `name`, which extends the one this machine is recognised as.

    `known`: that one, None if there is none; `source`: what each measured figure says of where it comes from.
    """
    measured = {"kind": "measured", "source": source}
    content: dict[str, Any] = {"extends": _FALLBACK if known is None else known.name, "name": name}
    content["description"] = f"{host.board or host.cpu}, calibrated."
    if known is None:
        content |= {"device": "another", "match": _match(host)}
    content["processor"] = _processor(host, highest_clock_khz, measured)
    content["memory"] = {"left_free_mb": {"value": _whole_mib(available_bytes), **measured}}
    if known is None:
        content["memory"]["sizes_mb"] = {
            "value": [_whole_mib(host.memory_bytes)],
            **measured,
            "conditions": "what the system sees",
        }
    before = () if known is None else known.rates
    content["rates"] = [rate.model_dump(exclude_none=True) for rate in (*rates, *before)]
    return content


def _match(host: Host) -> dict[str, list[str]]:
    return {"board": [host.board]} if host.board is not None else {"cpu": [host.cpu]}


def _processor(host: Host, clock_khz: int | None, measured: Mapping[str, str]) -> dict[str, Any]:
    clock: dict[str, Any] = {"not_found": "the kernel names no highest clock (cpufreq)"}
    if clock_khz is not None:
        clock = {"value": clock_khz / _KHZ_PER_MHZ, **measured}
    return {
        "core": host.cpu,
        "family": _family(host),
        "architecture": "x86_64" if _is_x86(host) else "aarch64",
        "cores": {"value": host.physical_cores, **measured},
        "clock_mhz": clock,
        "features": {"value": list(host.cpu_features), **measured},
    }


def _family(host: Host) -> str:
    features = set(host.cpu_features)
    if _is_x86(host):
        return "x86-vnni" if features & {"avx512_vnni", "avx_vnni", "amx_int8"} else "x86-avx2"
    if host.cpu in _IN_ORDER:
        return "arm-in-order"
    return "arm-dot-product" if "asimddp" in features else "arm-out-of-order"


def _is_x86(host: Host) -> bool:
    return host.architecture.lower() in ("x86_64", "amd64")


def _whole_mib(count: int) -> int:
    return count // _BYTES_PER_MIB
