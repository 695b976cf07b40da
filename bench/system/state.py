"""The state of this machine at a moment: load, memory, power, heat. It does not judge it."""

import psutil

from bench.record import Record
from bench.system.cpu_limit import Throttling, read_throttling
from bench.system.cpu_time import read_governor
from bench.system.cpus import cpus_here
from bench.system.thermal import read_temperatures, read_throttle_counts, read_throttled_bits

_SECONDS_TO_WATCH = 0.5


class HostState(Record):
    """The state of a machine at one moment."""

    busy_share: float
    """The share of all CPUs that other processes used during the reading."""
    steal_share: float
    """The share of all CPUs that the hypervisor gave to other machines during the reading."""
    available_bytes: int
    """The memory that programs can still have."""
    swap_used_bytes: int
    """The swap space that is in use."""
    swapped_in_bytes: int
    """What was read back from swap since boot."""
    on_battery: bool
    """Whether the machine runs on its battery."""
    temperatures: dict[str, float]
    """Degrees Celsius by thermal zone."""
    throttle_counts: dict[str, int]
    """Counters that grow when the machine throttles, by name."""
    throttled_bits: int | None
    """The bits of a Raspberry Pi's `vcgencmd get_throttled`; null on other machines."""
    governor: str | None = None
    """The clock governor of the fastest CPU; null where the kernel reports none."""
    cpu_periods: int | None = None
    """The periods in which the container or service ran, by the counter of its limit on CPU time; null
    without a limit, and in older reports."""
    cpu_periods_throttled: int | None = None
    """Those of them in which the kernel stopped it because it had used up its limit."""

    @property
    def throttling(self) -> Throttling | None:
        """How often a limit on CPU time was enforced until then; None without a limit."""
        if self.cpu_periods is None or self.cpu_periods_throttled is None:
            return None
        return Throttling(periods=self.cpu_periods, throttled=self.cpu_periods_throttled)


def read_state(watch_s: float = _SECONDS_TO_WATCH) -> HostState:
    """Read the present state of this machine; observe its load for `watch_s` seconds."""
    swap = psutil.swap_memory()
    load = psutil.cpu_times_percent(interval=watch_s)
    steal = float(getattr(load, "steal", 0.0))
    throttling = read_throttling()
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
        governor=read_governor(cpu=cpus_here().cores[0].number),
        cpu_periods=None if throttling is None else throttling.periods,
        cpu_periods_throttled=None if throttling is None else throttling.throttled,
    )


def _is_on_battery() -> bool:
    try:
        battery = psutil.sensors_battery()
    except FileNotFoundError:  # psutil raises it if the kernel has no /sys/class/power_supply
        return False
    return battery is not None and battery.power_plugged is False
