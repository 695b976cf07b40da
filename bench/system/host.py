"""What a machine is: the fingerprint in a report. Its state at a moment is in state.py."""

from typing import get_args

from bench.bundle.cpu_class import CpuClass, class_of
from bench.record import Record
from bench.system.accelerators import found_accelerators
from bench.system.core_names import cpu_flags
from bench.system.cpu_time import read_governor
from bench.system.cpus import CoreKind, cpu_name, read_cpus, threads_within
from bench.system.emulation import emulator_of
from bench.system.kernel_files import text
from bench.system.snapshot import SystemSnapshot, here
from device_profiles.facts import Feature

_BOARD_FILES = ("proc/device-tree/model", "sys/firmware/devicetree/base/model")
_FEATURES = frozenset(get_args(Feature))


class Host(Record):
    """A machine's fingerprint."""

    cpu: str
    """The CPU's name; on Arm the name of the core, or of all kinds of cores with their numbers."""
    board: str | None
    """The board's model from the device tree; null without one."""
    architecture: str
    """The instruction set, such as `x86_64` or `aarch64`."""
    physical_cores: int
    """The number of cores that edgefit may use. Two threads of one core count once."""
    usable_cpus: int
    """The number of logical CPUs that edgefit may use."""
    cpu_features: tuple[str, ...]
    """The instruction set extensions that matter to inference."""
    memory_bytes: int
    """The whole memory."""
    os: str
    """The operating system's name and version."""
    kernel: str
    """The kernel's version."""
    python: str
    """The version of Python."""
    governor: str | None
    """The clock governor of the fastest CPU; null where the kernel reports none."""
    emulated: str | None = None
    """The evidence that the machine is emulated; null if it is not."""
    accelerators: tuple[str, ...] = ()
    """The GPUs that drivers offer, with the drivers' versions."""
    cores: tuple[CoreKind, ...] = ()
    """The usable physical cores by their kind, the fast ones first; empty in older reports."""
    online_cpus: int | None = None
    """The number of logical CPUs that the machine has switched on; null in older reports."""
    cpu_quota: float | None = None
    """How many CPUs edgefit may use on average, by the limit of its container or service; null without a
    limit, and in older reports."""
    isolated_cpus: tuple[int, ...] = ()
    """The usable CPUs over which the kernel does not spread threads (isolcpus)."""

    @property
    def fast_cores(self) -> int:
        """The number of usable physical cores that are about as fast as the fastest."""
        return sum(kind.cores for kind in self.cores if kind.is_fast) or self.physical_cores

    @property
    def has_slow_cores(self) -> bool:
        """Whether some usable cores are slower by their kind."""
        return any(not kind.is_fast for kind in self.cores)

    @property
    def threads(self) -> int:
        """How many threads an inference gets: one for each fast core, within the limit."""
        return threads_within(self.cpu_quota, self.fast_cores)

    @property
    def most_threads(self) -> int:
        """How many threads can run at once: one for each usable CPU, within the limit."""
        return threads_within(self.cpu_quota, self.usable_cpus)

    @property
    def is_limited(self) -> bool:
        """Whether the limit is below what the usable CPUs could give."""
        return self.cpu_quota is not None and self.cpu_quota < self.usable_cpus

    @property
    def cores_in_words(self) -> str:
        """The cores, and which of them threads run on first."""
        if len(self.cores) < 2:
            return f"{self.physical_cores} core{'' if self.physical_cores == 1 else 's'}"
        kinds = (f"{kind.cores}× {kind.name}{' (fast)' if kind.is_fast else ''}" for kind in self.cores)
        return f"{self.physical_cores} cores: {' + '.join(kinds)}"

    @property
    def may_use(self) -> str | None:
        """Which part of the machine's CPUs edgefit may use; None if that is all of them, or unknown."""
        total = self.usable_cpus if self.online_cpus is None else self.online_cpus
        if self.is_limited:
            return f"this container may use {self.cpu_quota:g} of {total} CPUs"
        return f"edgefit may use {self.usable_cpus} of {total} CPUs" if self.usable_cpus < total else None


def read_host(snapshot: SystemSnapshot | None = None) -> Host:
    """Read the fingerprint of a machine; of this one by default."""
    snapshot = here() if snapshot is None else snapshot
    cpuinfo = text(snapshot.root / "proc/cpuinfo") or ""
    cpus = read_cpus(snapshot.usable_cpus, snapshot.root)
    name = cpu_name(cpuinfo, cpus) or snapshot.processor or snapshot.architecture
    board = next((model for path in _BOARD_FILES if (model := text(snapshot.root / path))), None)
    return Host(
        cpu=name,
        board=board,
        architecture=snapshot.architecture,
        physical_cores=len(cpus.cores),
        usable_cpus=len(cpus.usable),
        cpu_features=tuple(sorted(cpu_flags(cpuinfo) & _FEATURES)),
        memory_bytes=snapshot.memory_bytes,
        os=snapshot.os,
        kernel=snapshot.kernel,
        python=snapshot.python,
        governor=read_governor(snapshot.root, cpus.cores[0].number),
        emulated=emulator_of(
            board, snapshot.declared_emulated, snapshot.programs_above, snapshot.architecture, cpuinfo
        ),
        accelerators=tuple(found_accelerators(snapshot.root)),
        cores=cpus.kinds(name),
        online_cpus=len(cpus.online),
        cpu_quota=cpus.quota,
        isolated_cpus=cpus.isolated,
    )


def cpu_class_here() -> CpuClass | None:
    """Return the class of this machine's CPU; None if the class is unknown."""
    host = read_host()
    return class_of(host.architecture, host.cpu_features)
