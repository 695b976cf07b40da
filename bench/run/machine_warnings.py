"""Warnings about a machine that disturbs measurements, each with a remedy. Pure: values in, sentences out."""

from collections.abc import Iterable, Sequence

from bench.measurements import ProcessTiming
from bench.system.cpu_limit import Throttling
from bench.system.host import Host
from bench.system.sandbox import Confinement
from bench.system.state import HostState
from bench.system.thermal import hottest_of, throttled_now, throttled_since_boot
from bench.system.thread_variables import PINNING, SetVariable
from device_profiles.facts import Heat, NotFound

BUSY_SHARE = 0.1
STEAL_SHARE = 0.02
RAISE_LIMIT = "raise the container's CPU limit"
_LITTLE_MEMORY = 1 << 30
# Most chips throttle between 80 and 100 °C. A profile may state its device's limit.
_HOT_C = 80.0
_NEAR_C = 5.0


def machine_warnings(host: Host, state: HostState, heat: Heat | None = None) -> list[str]:
    """Return a sentence for each condition of this machine that will disturb a measurement.

    `heat` says at which temperature the device throttles, where that is known.
    """
    warnings = []
    if host.is_limited:
        warnings.append(limit_warning(host))
    if len(host.isolated_cpus) > 1:
        warnings.append(
            f"the kernel does not spread threads over CPUs {', '.join(map(str, host.isolated_cpus))}, which "
            "are isolated (isolcpus), so they may all run on one of them: use other CPUs, or one thread"
        )
    if state.busy_share > BUSY_SHARE:
        warnings.append(
            f"other programs use {state.busy_share:.0%} of the CPUs: end them, or trust ratios only"
        )
    if state.steal_share > STEAL_SHARE:
        warnings.append(steal_warning(state.steal_share))
    if host.governor in ("powersave", "conservative", "ondemand", "schedutil"):
        warnings.append(
            f"the clock governor is '{host.governor}', so clocks change under load:"
            " sudo cpupower frequency-set -g performance"
        )
    if state.on_battery:
        warnings.append("the machine runs on battery, which makes it slower: plug it in")
    if state.swap_used_bytes and state.available_bytes < _LITTLE_MEMORY:
        warnings.append("memory is short and swap is in use: close other programs")
    return warnings + heat_warnings(state, heat)


def limit_warning(host: Host) -> str:
    """Say that a container may use only a part of the CPUs, and what follows from it."""
    assert host.cpu_quota is not None
    effect = (
        "so the kernel stops every inference again and again"
        if host.cpu_quota < 1
        else f"so at most {host.most_threads} thread{'' if host.most_threads == 1 else 's'} run at once"
    )
    return f"{host.may_use}, {effect}: {RAISE_LIMIT}, or compare only with reports under the same limit"


def pinning_warnings(host: Host, variables: Iterable[SetVariable]) -> list[str]:
    """Return a warning where a library may have pinned this process before edgefit measured."""
    pinning = [variable.assignment for variable in variables if variable.name in PINNING]
    if not pinning or host.online_cpus is None or host.usable_cpus >= host.online_cpus:
        return []
    sentence = (
        f"edgefit may use {host.usable_cpus} of {host.online_cpus} CPUs, and {' '.join(pinning)} is set: a "
        "library that this process has loaded may have pinned it; unset it, and start again"
    )
    return [sentence]


def throttled_between(before: Throttling | None, after: Throttling | None) -> Throttling | None:
    """Return in how many periods between two readings the kernel enforced a limit on CPU time.

    None if it did so in none, or if there is no limit.
    """
    if before is None or after is None or after.throttled <= before.throttled:
        return None
    return Throttling(after.periods - before.periods, after.throttled - before.throttled)


def throttled_warning(throttling: Throttling) -> str:
    """Say how often the kernel stopped what was measured."""
    return (
        f"the container's CPU limit stopped this run in {throttling.throttled} of {throttling.periods} "
        f"periods while measuring: {RAISE_LIMIT}"
    )


def standstill_warnings(processes: Sequence[ProcessTiming]) -> list[str]:
    """Say which timings contain time in which everything stood still, although blocks are measured again."""
    blocks = [block for process in processes for block in process.blocks]
    stopped = (
        (sum(process.stopped_ns > 0 for process in processes), len(processes), "starts of a process"),
        (sum(block.stopped_ns > 0 for block in blocks), len(blocks), "blocks, each time they were measured"),
    )
    return [
        f"everything stood still in {count} of {whole} {what}, as in a container that is paused, and their "
        "times contain that: measure again while nothing is paused"
        for count, whole, what in stopped
        if count
    ]


def confinement_warnings(confinement: Confinement) -> list[str]:
    """Return a warning where nothing prevents artifacts from writing the user's files."""
    if confinement.by is not None:
        return []
    return [f"{confinement.in_words}: measure only bundles of people you trust"]


def steal_warning(share: float) -> str:
    """Say that the hypervisor gave a share of the CPUs' time to other machines."""
    return (
        f"the hypervisor gave {share:.0%} of these CPUs' time to other machines: trust ratios only,"
        " or measure on a machine of your own"
    )


def heat_warnings(state: HostState, heat: Heat | None = None) -> list[str]:
    """Return a sentence for each sign of heat or of insufficient power. `heat`: see machine_warnings."""
    warnings = []
    if state.throttled_bits and (now := throttled_now(state.throttled_bits)):
        warnings.append(f"the board is throttled ({', '.join(now)}): cool it, and use its own power supply")
    elif state.throttled_bits and (before := throttled_since_boot(state.throttled_bits)):
        warnings.append(
            f"the board was throttled since it booted ({', '.join(before)}): check cooling and power supply"
        )
    zone, degrees = hottest_of(state.temperatures, None if heat is None else heat.zone) or ("", 0.0)
    limit = None if heat is None or isinstance(heat.throttles_at_c, NotFound) else heat.throttles_at_c.value
    if limit is not None and degrees >= limit - _NEAR_C:
        warnings.append(
            f"{zone} is at {degrees:.0f} °C, and this device throttles at {limit:g} °C: let it cool"
        )
    elif limit is None and degrees >= _HOT_C:
        warnings.append(
            f"{zone} is at {degrees:.0f} °C, near the temperature at which chips throttle: let it cool first"
        )
    return warnings
