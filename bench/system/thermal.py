"""Temperatures, and every sign of throttling. It reads them and does not judge them.

Sources: kernel documentation (thermal sysfs, x86 thermal_throttle), Raspberry Pi documentation (vcgencmd).
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.system import vcgencmd
from bench.system.kernel_files import ROOT, folders, number, text

# The argument of vcgencmd for them.
THROTTLED = "get_throttled"
# Bits of `vcgencmd get_throttled`: the present state. The same, 16 bits higher: what happened since boot.
_THROTTLED_BITS = {
    0: "under-voltage",
    1: "clock capped",
    2: "throttled",
    3: "soft temperature limit",
}
_SINCE_BOOT = 16


def read_temperatures(root: Path = ROOT) -> dict[str, float]:
    """Return degrees Celsius by the name of the thermal zone."""
    degrees: dict[str, float] = {}
    for zone in folders(root / "sys/class/thermal", "thermal_zone*"):
        millidegrees = number(zone / "temp")
        if millidegrees is not None:
            degrees[f"{text(zone / 'type') or 'zone'} ({zone.name})"] = millidegrees / 1000
    return degrees


def hottest_of(temperatures: Mapping[str, float], zone: str | None = None) -> tuple[str, float] | None:
    """Return the hottest temperature and its name; only of `zone` if that is among them."""
    own = {name: degrees for name, degrees in temperatures.items() if zone and name.startswith(f"{zone} (")}
    return max((own or temperatures).items(), key=lambda reading: reading[1], default=None)


def read_throttle_counts(root: Path = ROOT) -> dict[str, int]:
    """Return counters that grow when the machine throttles, by name.

    Intel's thermal_throttle counts, and each cooling device's transitions between its states.
    """
    counts: dict[str, int] = {}
    for folder in folders(root / "sys/devices/system/cpu", "cpu[0-9]*/thermal_throttle"):
        for kind in ("core", "package"):
            if (count := number(folder / f"{kind}_throttle_count")) is not None:
                counts[f"{folder.parent.name} {kind} throttle"] = count
    for device in folders(root / "sys/class/thermal", "cooling_device*"):
        if (count := number(device / "stats/total_trans")) is not None:
            counts[f"cooling by {text(device / 'type') or device.name}"] = count
    return counts


def read_throttled_bits(ask: Callable[[str], str | None] = vcgencmd.ask) -> int | None:
    """Return the bits of `vcgencmd get_throttled`; None if there is no such command or output."""
    match = re.search(r"throttled=0x([0-9a-fA-F]+)", ask(THROTTLED) or "")
    return None if match is None else int(match[1], 16)


def throttled_now(bits: int) -> list[str]:
    """Return the names of the present states in `vcgencmd get_throttled`."""
    return [name for bit, name in _THROTTLED_BITS.items() if bits & 1 << bit]


def throttled_since_boot(bits: int) -> list[str]:
    """Return the names of what happened since boot, from `vcgencmd get_throttled`."""
    return [name for bit, name in _THROTTLED_BITS.items() if bits & 1 << bit + _SINCE_BOOT]
