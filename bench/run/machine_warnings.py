"""What about a machine makes measurements doubtful, in words with a remedy. Pure: values in, words out."""

from bench.system.host import Host
from bench.system.sandbox import Confinement
from bench.system.state import HostState
from bench.system.thermal import hottest_of, throttled_now, throttled_since_boot
from device_profiles.facts import Heat, NotFound

BUSY_SHARE = 0.1
STEAL_SHARE = 0.02
_LITTLE_MEMORY = 1 << 30
# Most chips slow down between 80 and 100 °C; a profile says when its device does.
_HOT_C = 80.0
_NEAR_C = 5.0


def machine_warnings(host: Host, state: HostState, heat: Heat | None = None) -> list[str]:
    """Return a sentence for each thing about this machine that will disturb a measurement.

    `heat`: when this device slows itself down, where that is known.
    """
    found = []
    if state.busy_share > BUSY_SHARE:
        found.append(f"other work uses {state.busy_share:.0%} of the CPUs: end it, or trust ratios only")
    if state.steal_share > STEAL_SHARE:
        found.append(of_steal(state.steal_share))
    if host.governor in ("powersave", "conservative", "ondemand", "schedutil"):
        found.append(
            f"the clock governor is '{host.governor}', so clocks change under load:"
            " sudo cpupower frequency-set -g performance"
        )
    if state.on_battery:
        found.append("the machine runs on battery, which slows it down: plug it in")
    if state.swap_used_bytes and state.available_bytes < _LITTLE_MEMORY:
        found.append("memory is short and swap is in use: close other programs")
    return found + of_heat(state, heat)


def confinement_warnings(confinement: Confinement) -> list[str]:
    """Say so where nothing keeps artifacts from the user's files."""
    if confinement.by is not None:
        return []
    return [f"{confinement.in_words}: measure no bundle here that comes from people you do not trust"]


def of_steal(share: float) -> str:
    """Say that a share of the CPUs' time was given to others."""
    return (
        f"the hypervisor gave {share:.0%} of these CPUs' time to other machines: trust ratios only,"
        " or measure on a machine of your own"
    )


def of_heat(state: HostState, heat: Heat | None = None) -> list[str]:
    """Return a sentence for each sign of heat or want of power. `heat`: see doubts_of."""
    found = []
    if state.throttled_bits and (now := throttled_now(state.throttled_bits)):
        found.append(f"the board slows itself down ({', '.join(now)}): cool it, and use its own power supply")
    elif state.throttled_bits and (before := throttled_since_boot(state.throttled_bits)):
        found.append(
            f"the board has slowed itself down since it booted ({', '.join(before)}):"
            " check cooling and power supply"
        )
    zone, degrees = hottest_of(state.temperatures, None if heat is None else heat.zone) or ("", 0.0)
    limit = None if heat is None or isinstance(heat.throttles_at_c, NotFound) else heat.throttles_at_c.value
    if limit is not None and degrees >= limit - _NEAR_C:
        found.append(f"{zone} is at {degrees:.0f} °C, and this device slows down at {limit:g}: let it cool")
    elif limit is None and degrees >= _HOT_C:
        found.append(f"{zone} is at {degrees:.0f} °C, near where chips slow down: let it cool first")
    return found
