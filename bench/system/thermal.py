"""Temperatures, and every sign that a machine slowed itself down: read, not judged.

Sources: kernel documentation (thermal sysfs, x86 thermal_throttle), Raspberry Pi documentation (vcgencmd).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.system import vcgencmd
from bench.system.kernel_files import ROOT, folders, number, text

# The word to ask vcgencmd for them.
THROTTLED = "get_throttled"
# Bits of `vcgencmd get_throttled`: what holds now. The same 16 bits higher: what has happened since boot.
_THROTTLED_BITS = {
    0: "under-voltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
}
_SINCE_BOOT = 16


def read_temperatures(root: Path = ROOT) -> dict[str, float]:
    """Return degrees Celsius by the name of the thermal zone."""
    found: dict[str, float] = {}
    for zone in folders(root / "sys/class/thermal", "thermal_zone*"):
        millidegrees = number(zone / "temp")
        if millidegrees is not None:
            found[f"{text(zone / 'type') or 'zone'} ({zone.name})"] = millidegrees / 1000
    return found


def hottest_of(temperatures: Mapping[str, float], zone: str | None = None) -> tuple[str, float] | None:
    """Return the hottest of some temperatures and its name; of `zone` alone where it is among them."""
    own = {name: degrees for name, degrees in temperatures.items() if zone and name.startswith(f"{zone} (")}
    return max((own or temperatures).items(), key=lambda one: one[1], default=None)


def read_throttle_counts(root: Path = ROOT) -> dict[str, int]:
    """Return counters that grow when the machine slows itself down, by name.

    Intel's thermal_throttle counts, and each cooling device's transitions between its states.
    """
    found: dict[str, int] = {}
    for folder in folders(root / "sys/devices/system/cpu", "cpu[0-9]*/thermal_throttle"):
        for kind in ("core", "package"):
            if (count := number(folder / f"{kind}_throttle_count")) is not None:
                found[f"{folder.parent.name} {kind} throttle"] = count
    for device in folders(root / "sys/class/thermal", "cooling_device*"):
        if (count := number(device / "stats/total_trans")) is not None:
            found[f"cooling by {text(device / 'type') or device.name}"] = count
    return found


def read_throttled_bits(ask: Callable[[str], str | None] = vcgencmd.ask) -> int | None:
    """Return the bits of `vcgencmd get_throttled`; None where there is no such command or no such answer."""
    match = re.search(r"throttled=0x([0-9a-fA-F]+)", ask(THROTTLED) or "")
    return None if match is None else int(match[1], 16)


def throttled_now(bits: int) -> list[str]:
    """Return the names of what `vcgencmd get_throttled` says holds now."""
    return [name for bit, name in _THROTTLED_BITS.items() if bits & 1 << bit]


def throttled_since_boot(bits: int) -> list[str]:
    """Return the names of what `vcgencmd get_throttled` says has happened since boot."""
    return [name for bit, name in _THROTTLED_BITS.items() if bits & 1 << bit + _SINCE_BOOT]
