"""CPU time as the kernel counts it, and the clock. Both are cheap enough to read around every block.

/proc/stat counts in ticks of 10 ms. That is too rough for one block, but exact enough for their sum.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.system.kernel_files import ROOT, number, text

_NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_BUSY = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq: see proc_stat(5)
_STEAL = 7
_GUEST = 8  # from here on: guests, whose time is in user and nice already


@dataclass(frozen=True)
class CpuTime:
    """Nanoseconds since boot, over some CPUs."""

    busy_ns: int
    """The time that they worked."""
    steal_ns: int
    """The time that the hypervisor gave to other machines."""
    whole_ns: int
    """All time of these CPUs, also that in which they had nothing to do."""


def read_cpu_time(cpus: Iterable[int] | None, root: Path = ROOT) -> CpuTime | None:
    """Read the time of `cpus`, or of the whole machine; None if the kernel does not count it."""
    rows = {"cpu"} if cpus is None else {f"cpu{cpu}" for cpu in cpus}
    try:
        lines = (root / "proc/stat").read_text().splitlines()
    except OSError:  # this is not Linux
        return None
    ticks = [[int(field) for field in line.split()[1:]] for line in lines if line.split(" ", 1)[0] in rows]
    if not ticks:
        return None
    return CpuTime(
        busy_ns=sum(row[index] for row in ticks for index in _BUSY) * _NS_PER_TICK,
        steal_ns=sum(row[_STEAL] for row in ticks) * _NS_PER_TICK,
        whole_ns=sum(sum(row[:_GUEST]) for row in ticks) * _NS_PER_TICK,
    )


def read_highest_clock_khz(cpu: int = 0, root: Path = ROOT) -> int | None:
    """Return the highest clock of a CPU in kHz, as the kernel reports it; None if it does not."""
    return number(root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq/cpuinfo_max_freq")


def read_governor(root: Path = ROOT, cpu: int = 0) -> str | None:
    """Return the clock governor of a CPU, such as `ondemand`; None if there is none."""
    return text(root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_governor")


def read_clock_khz(cpus: Iterable[int] | None, root: Path = ROOT) -> int | None:
    """Return the slowest present clock of `cpus` in kHz; None if the kernel reports none."""
    folder = root / "sys/devices/system/cpu"
    clocks = [
        number(folder / f"cpu{cpu}/cpufreq/scaling_cur_freq") for cpu in ((0,) if cpus is None else cpus)
    ]
    known = [clock for clock in clocks if clock is not None]
    return min(known, default=None)
