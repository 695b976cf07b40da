"""The CPUs of a machine, what this process may use of them, and which CPUs get how many threads.

`read_cpus` reads the kernel's files. All decisions are pure: the fast physical cores come first, and no more
threads run at once than the limit of the container allows. Sources: the Linux kernel's
ABI/testing/sysfs-devices-system-cpu and admin-guide/cputopology; sched_setaffinity(2).
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.record import Record
from bench.system.cgroups import VERSION_2, own_groups
from bench.system.core_names import core_names, is_efficient, is_known, model_name
from bench.system.cpu_limit import read_quota
from bench.system.kernel_files import ROOT, number, text
from bench.system.snapshot import usable_cpus

_FOLDER = "sys/devices/system/cpu"
CPUSET_FILES = ("cpuset.effective_cpus", "cpuset.cpus.effective")
"""The files of a control group that list its CPUs, in version 1 and 2."""
_EFFICIENCY_CORE = "efficiency core"
# Linux lists the two kinds of cores of a hybrid x86 CPU in these files.
_HYBRID = {"sys/devices/cpu_core/cpus": "performance core", "sys/devices/cpu_atom/cpus": _EFFICIENCY_CORE}
_MOST_CPUS = 1 << 16
# A core that is at least this fast is one of the fast cores. Cores of one kind differ by up to 15 %: the
# kernel lets a few of them turbo higher. Cores of the next kind have 78 % or less.
_FAST_SHARE = 0.8


class CoreKind(Record):
    """The usable physical cores of one kind."""

    name: str
    """The name of the core, as far as the kernel gives one; else that of the CPU."""
    cores: int
    """The number of these cores that edgefit may use."""
    is_fast: bool
    """Whether they are among the fastest that edgefit may use. Threads run on these first."""


@dataclass(frozen=True)
class LogicalCpu:
    """One CPU, as the kernel numbers them: a core, or a hyper-thread of one."""

    number: int
    """Its number."""
    core: str
    """What identifies its physical core: the numbers of all CPUs of that core."""
    package: int
    """The number of the chip that it is in."""
    kind: str
    """The name of the core."""
    speed: int
    """How fast it is, in the kernel's units: equal for all CPUs where the kernel does not say."""
    is_efficient: bool
    """Whether its core was made for little energy, while others of the machine were not."""


@dataclass(frozen=True)
class Cpus:
    """The CPUs of a machine, and what a process may use of them."""

    online: tuple[LogicalCpu, ...]
    """All CPUs that are switched on."""
    usable: tuple[LogicalCpu, ...]
    """Those that the process may use, by its affinity and the cpuset of its container."""
    quota: float | None
    """How many CPUs the process may use on average, by the limit of its container; None without a limit."""
    isolated: tuple[int, ...]
    """The usable CPUs over which the kernel does not spread threads (isolcpus)."""

    @cached_property
    def cores(self) -> tuple[LogicalCpu, ...]:
        """One CPU of each usable physical core, the fast ones first."""
        first: dict[str, LogicalCpu] = {}
        for cpu in _fast_first(self.usable):
            first.setdefault(cpu.core, cpu)
        return tuple(first.values())

    @cached_property
    def fast_cores(self) -> tuple[LogicalCpu, ...]:
        """Those of `cores` that are about as fast as the fastest."""
        fastest = self.cores[0]
        return tuple(
            cpu
            for cpu in self.cores
            if cpu.is_efficient == fastest.is_efficient and cpu.speed >= _FAST_SHARE * fastest.speed
        )

    @property
    def at_once(self) -> int:
        """How many threads can run at once without being stopped by the limit; at least one."""
        return threads_within(self.quota, len(self.usable))

    @property
    def threads(self) -> int:
        """How many threads an inference gets: one for each fast physical core, within the limit."""
        return threads_within(self.quota, len(self.fast_cores))

    def kinds(self, name: str) -> tuple[CoreKind, ...]:
        """Return the usable cores by their kind, the fast ones first. `name`: of a kind without a name."""
        fast = set(self.fast_cores)
        counted = Counter((cpu.kind or name, cpu in fast) for cpu in self.cores)
        return tuple(CoreKind(name=kind, cores=n, is_fast=is_fast) for (kind, is_fast), n in counted.items())


def threads_within(quota: float | None, count: int) -> int:
    """Return how many of `count` threads can run at once within a limit in CPUs; at least one."""
    return count if quota is None else max(1, min(count, int(quota)))


def chosen_cpus(cpus: Cpus, threads: int) -> tuple[int, ...]:
    """Return the CPUs for some threads: whole cores first, the fast ones before the others."""
    cores = list(cpus.cores)
    rest = [cpu for cpu in _fast_first(cpus.usable) if cpu not in cores]
    return tuple(sorted(cpu.number for cpu in (cores + rest)[:threads]))


def cpu_name(cpuinfo: str, cpus: Cpus) -> str | None:
    """Return the CPU's name: on Arm that of its core, or all kinds of cores with their numbers."""
    counted = Counter(cpu.kind for cpu in _fast_first(cpus.online) if cpu.kind)
    if not core_names(cpuinfo) or not any(map(is_known, counted)):
        return model_name(cpuinfo)
    if len(counted) == 1:
        return next(iter(counted))
    return " + ".join(f"{count}× {kind}" for kind, count in counted.items())


def read_cpus(affinity: Iterable[int], root: Path = ROOT) -> Cpus:
    """Read the CPUs of a machine. `affinity`: the numbers of those that the process may run on."""
    allowed, cpuset = set(affinity), _cpuset(root)
    names = core_names(text(root / "proc/cpuinfo") or "")
    online = _logical_cpus(sorted({*(_listed(root / _FOLDER / "online") or names), *allowed}), names, root)
    inside = allowed & cpuset or allowed
    isolated = set(_listed(root / _FOLDER / "isolated"))
    return Cpus(
        online=online,
        usable=tuple(cpu for cpu in online if cpu.number in inside),
        quota=read_quota(root),
        isolated=tuple(sorted(inside & isolated)),
    )


def cpus_here() -> Cpus:
    """Return the CPUs of this machine, and what this process may use of them."""
    return read_cpus(usable_cpus())


def cpus_for(threads: int) -> tuple[int, ...] | None:
    """Return the CPUs to pin `threads` threads to; None if the system cannot pin."""
    return chosen_cpus(cpus_here(), threads) if sys.platform == "linux" else None


@contextmanager
def kept_affinity() -> Iterator[None]:
    """Give this thread back the CPUs it has now, whatever a library does that is loaded meanwhile.

    With OMP_PROC_BIND, GNU OpenMP pins the thread that loads it, and so the processes that it starts.
    """
    before = usable_cpus()
    try:
        yield
    finally:
        if sys.platform == "linux":
            os.sched_setaffinity(0, before)


def _logical_cpus(numbers: Sequence[int], names: Mapping[int, str], root: Path) -> tuple[LogicalCpu, ...]:
    speeds = _speeds(numbers, root)
    hybrid = {cpu: kind for file, kind in _HYBRID.items() for cpu in _listed(root / file)}
    slow = {cpu for cpu, kind in hybrid.items() if kind == _EFFICIENCY_CORE}
    slow |= {cpu for cpu in numbers if is_efficient(names.get(cpu, ""))}
    are_mixed = bool(slow) and not slow.issuperset(numbers)
    return tuple(
        LogicalCpu(
            number=cpu,
            core=_core_of(cpu, root),
            package=number(root / _FOLDER / f"cpu{cpu}/topology/physical_package_id") or 0,
            kind=names.get(cpu) or hybrid.get(cpu, ""),
            speed=speeds[cpu],
            is_efficient=are_mixed and cpu in slow,
        )
        for cpu in numbers
    )


def _core_of(cpu: int, root: Path) -> str:
    topology = root / _FOLDER / f"cpu{cpu}/topology"
    return text(topology / "core_cpus_list") or text(topology / "thread_siblings_list") or str(cpu)


def _speeds(numbers: Sequence[int], root: Path) -> dict[int, int]:
    """Return the capacity of each CPU; its highest clock where capacities do not tell them apart."""
    for file in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        read = {cpu: number(root / _FOLDER / f"cpu{cpu}" / file) for cpu in numbers}
        known = {cpu: value for cpu, value in read.items() if value}
        if len(known) == len(numbers) and len(set(known.values())) > 1:
            return known
    return dict.fromkeys(numbers, 0)


def _fast_first(cpus: Iterable[LogicalCpu]) -> list[LogicalCpu]:
    """Sort CPUs: fast ones first, then those of one chip together."""
    return sorted(cpus, key=lambda cpu: (cpu.is_efficient, -cpu.speed, cpu.package, cpu.number))


def _cpuset(root: Path) -> set[int]:
    """Return the CPUs of this process's cpuset; empty without one."""
    for controller, name in zip(("cpuset", VERSION_2), CPUSET_FILES, strict=True):
        for folder in own_groups(controller, root)[:1]:
            if cpus := _listed(folder / name):
                return set(cpus)
    return set()


def _listed(path: Path) -> list[int]:
    """Return the numbers of a list of the kernel, such as 0-3,8; empty without such a file."""
    numbers: list[int] = []
    for part in (text(path) or "").split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdecimal():
            continue
        if int(last or first) >= _MOST_CPUS:
            raise ValueError(f"{path.name} lists CPU {last or first}; no machine has that many")
        numbers += range(int(first), int(last or first) + 1)
        if len(numbers) > _MOST_CPUS:
            raise ValueError(f"{path.name} lists more than {_MOST_CPUS} CPUs; no machine has that many")
    return numbers
