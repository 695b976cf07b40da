"""The state of this machine at a moment: load, memory, power, heat. It does not judge it."""

import psutil

from bench.record import Record
from bench.system.cpu_time import read_governor
from bench.system.thermal import read_temperatures, read_throttle_counts, read_throttled_bits

_SECONDS_TO_WATCH = 0.5


class HostState(Record):
    """The state of a machine.

    `busy_share`, `steal_share`: the share of all CPUs that other processes used, and that the hypervisor gave
    to other machines, during the reading; `temperatures`: °C by thermal zone; `throttle_counts`: counters
    that grow when the machine throttles; `throttled_bits`: of a Raspberry Pi's `vcgencmd get_throttled`, null
    elsewhere; `swapped_in_bytes`: since boot; `governor`: of the first CPU's clock, null if there is none.
    """

    busy_share: float
    steal_share: float
    available_bytes: int
    swap_used_bytes: int
    swapped_in_bytes: int
    on_battery: bool
    temperatures: dict[str, float]
    throttle_counts: dict[str, int]
    throttled_bits: int | None
    governor: str | None = None


def read_state(watch_s: float = _SECONDS_TO_WATCH) -> HostState:
    """Read the present state of this machine; observe its load for `watch_s` seconds."""
    swap = psutil.swap_memory()
    load = psutil.cpu_times_percent(interval=watch_s)
    steal = float(getattr(load, "steal", 0.0))
    return HostState(
        busy_share=max(0.0, 100 - load.idle - float(getattr(load, "iowait", 0.0)) - steal) / 100,
        steal_share=steal / 100,
        available_bytes=psutil.virtual_memory().available,
        swap_used_bytes=swap.used,
        swapped_in_bytes=swap.sin,
        on_battery=_is_on_battery(),
        temperatures=read_temperatures(),
        throttle_counts=read_throttle_counts(),
        throttled_bits=read_throttled_bits(),
        governor=read_governor(),
    )


def _is_on_battery() -> bool:
    try:
        battery = psutil.sensors_battery()
    except FileNotFoundError:  # psutil raises it if the kernel has no /sys/class/power_supply
        return False
    return battery is not None and battery.power_plugged is False
