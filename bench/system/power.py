"""The energy counters and power sensors of a machine, and what each of them covers.

RAPL: kernel documentation, powercap. INA3221: hwmon ABI, labels by the boards' device trees. Raspberry Pi 5:
`vcgencmd pmic_read_adc`, amperes and volts of each rail of its power management chip.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.system import vcgencmd
from bench.system.kernel_files import ROOT, folders, number, text

_WHOLE_BOARD_RAILS = ("VDD_IN", "VIN_SYS_5V0", "POM_5V_IN")
_PMIC_LINE = re.compile(
    r"^\s*(?P<rail>\w+)_(?P<kind>[AV])\s+(?:current|volt)\(\d+\)=(?P<value>[\d.]+)[AV]", re.M
)


@dataclass(frozen=True)
class EnergyCounter:
    """A counter of joules that wraps at `range_uj`. `read_uj` returns microjoules."""

    method: str
    domain: str
    read_uj: Callable[[], int]
    range_uj: int

    def joules_between(self, before_uj: int, after_uj: int) -> float:
        """Return the joules between two readings, of which the second may have wrapped once."""
        return (after_uj - before_uj + (self.range_uj if after_uj < before_uj else 0)) / 1e6


@dataclass(frozen=True)
class PowerSensor:
    """A sensor of the present power. `read_watts` returns watts."""

    method: str
    domain: str
    read_watts: Callable[[], float]


@dataclass(frozen=True)
class NoMeter:
    """This machine cannot measure energy, and why."""

    reason: str


Meter = EnergyCounter | PowerSensor


def find_meter(root: Path = ROOT, pmic: Callable[[], str | None] | None = None) -> Meter | NoMeter:
    """Return what measures energy on this machine, with the widest domain. `pmic`: see read_pmic."""
    read = read_pmic if pmic is None else pmic
    denied: list[str] = []
    meter = _ina3221(root) or _pmic(read) or _rapl(root, denied)
    if meter is not None:
        return meter
    if denied:
        return NoMeter(f"this user cannot read {denied[0]}: sudo chmod a+r {denied[0]}")
    return NoMeter("this machine has no RAPL counter, no INA3221 sensor and no Raspberry Pi 5 power chip")


def read_pmic() -> str | None:
    """Return what `vcgencmd pmic_read_adc` prints; None if there is no such command or it fails."""
    return vcgencmd.ask("pmic_read_adc")


def _rapl(root: Path, denied: list[str]) -> EnergyCounter | None:
    for zone in folders(root / "sys/class/powercap", "intel-rapl:[0-9]*"):
        name = text(zone / "name") or ""
        counter = zone / "energy_uj"
        if not name.startswith("package") or not counter.exists():
            continue
        if number(counter) is None:
            denied.append(f"/{counter.relative_to(root)}")
            continue
        return EnergyCounter(
            method="RAPL energy counter",
            domain=f"processor {name}, without memory modules, disk and power supply",
            read_uj=lambda path=counter: _must_be_number(path),  # type: ignore[misc]
            range_uj=number(zone / "max_energy_range_uj") or 0,
        )
    return None


def _ina3221(root: Path) -> PowerSensor | None:
    rails: dict[str, tuple[Path, Path]] = {}
    for device in folders(root / "sys/class/hwmon", "hwmon*"):
        if text(device / "name") != "ina3221":
            continue
        for label in folders(device, "in[0-9]_label"):
            channel = label.name[2]
            volts, amperes = device / f"in{channel}_input", device / f"curr{channel}_input"
            if number(volts) is not None and number(amperes) is not None:
                rails[text(label) or label.name] = (volts, amperes)
    if not rails:
        return None
    chosen = next(([name] for name in _WHOLE_BOARD_RAILS if name in rails), sorted(rails))

    def read_watts() -> float:
        pairs = [rails[name] for name in chosen]
        return sum(_must_be_number(volts) * _must_be_number(amperes) for volts, amperes in pairs) / 1e6

    covers = "the whole board" if chosen[0] in _WHOLE_BOARD_RAILS else "only these rails"
    return PowerSensor("INA3221 power sensor, sampled", f"{' + '.join(chosen)}: {covers}", read_watts)


def _pmic(read: Callable[[], str | None]) -> PowerSensor | None:
    if not _rail_watts(read() or ""):
        return None

    def read_watts() -> float:
        rails = _rail_watts(read() or "")
        if not rails:
            raise OSError("vcgencmd pmic_read_adc listed rails before, but lists none now")
        return sum(rails.values())

    return PowerSensor(
        "Raspberry Pi 5 power chip (vcgencmd pmic_read_adc), sampled",
        "the rails of the board, without USB devices and the losses of converters",
        read_watts,
    )


def _rail_watts(listing: str) -> dict[str, float]:
    """Return the watts of each rail whose amperes and volts are both listed."""
    values = {(line["rail"], line["kind"]): float(line["value"]) for line in _PMIC_LINE.finditer(listing)}
    return {
        rail: amperes * values[rail, "V"]
        for (rail, kind), amperes in values.items()
        if kind == "A" and (rail, "V") in values
    }


def _must_be_number(path: Path) -> int:
    value = number(path)
    if value is None:
        raise OSError(f"{path}: contained a number before, but contains none now")
    return value
