"""The kernel's account of CPU time, and how fast a clock runs. Cheap enough to read around every block.

/proc/stat counts in ticks of 10 ms: single blocks are rough, their sums are not.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bench.system.kernel_files import ROOT, number, text

_NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_BUSY = (0, 1, 2, 5, 6)  # user, nice, system, irq, softirq: see proc_stat(5)
_STEAL = 7


@dataclass(frozen=True)
class CpuTime:
    """Nanoseconds since boot that some CPUs worked, and that their hypervisor gave to others."""

    busy_ns: int
    steal_ns: int


def read_cpu_time(cpus: Iterable[int] | None, root: Path = ROOT) -> CpuTime | None:
    """Read the account of `cpus`, or of the whole machine; None where the kernel keeps none."""
    wanted = {"cpu"} if cpus is None else {f"cpu{cpu}" for cpu in cpus}
    try:
        lines = (root / "proc/stat").read_text().splitlines()
    except OSError:  # no Linux
        return None
    ticks = [[int(one) for one in line.split()[1:]] for line in lines if line.split(" ", 1)[0] in wanted]
    if not ticks:
        return None
    return CpuTime(
        busy_ns=sum(row[index] for row in ticks for index in _BUSY) * _NS_PER_TICK,
        steal_ns=sum(row[_STEAL] for row in ticks) * _NS_PER_TICK,
    )


def read_highest_clock_khz(root: Path = ROOT) -> int | None:
    """Return the highest clock of the first CPU in kHz, as the kernel names it; None where it does not."""
    return number(root / "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")


def read_governor(root: Path = ROOT) -> str | None:
    """Return what governs the clock of the first CPU, such as `ondemand`; None where nothing does."""
    return text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def read_clock_khz(cpus: Iterable[int] | None, root: Path = ROOT) -> int | None:
    """Return the slowest present clock of `cpus` in kHz; None where the kernel tells none."""
    folder = root / "sys/devices/system/cpu"
    clocks = [
        number(folder / f"cpu{cpu}/cpufreq/scaling_cur_freq") for cpu in ((0,) if cpus is None else cpus)
    ]
    known = [clock for clock in clocks if clock is not None]
    return min(known, default=None)
