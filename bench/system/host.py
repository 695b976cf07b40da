"""What a machine is: the fingerprint in a report. Its state at a moment is in state.py."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

from bench.bundle.cpu_class import CpuClass, class_of
from bench.record import Record
from bench.system.accelerators import found_accelerators
from bench.system.cpu_time import read_governor
from bench.system.emulation import emulator_of
from bench.system.kernel_files import ROOT, text
from bench.system.snapshot import SystemSnapshot, here, usable_cpus
from device_profiles.facts import Feature

_CPU_FOLDER = "sys/devices/system/cpu"
_BOARD_FILES = ("proc/device-tree/model", "sys/firmware/devicetree/base/model")
_FEATURES = frozenset(get_args(Feature))
# /proc/cpuinfo gives only a number for an Arm core: "CPU part" of implementer 0x41, which is Arm itself.
# Source: the Linux kernel's arch/arm64/include/asm/cputype.h.
_ARM = "0x41"
_ARM_CORES = {
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd0d": "Cortex-A77",
    "0xd40": "Neoverse-V1",
    "0xd41": "Cortex-A78",
    "0xd42": "Cortex-A78AE",
    "0xd46": "Cortex-A510",
    "0xd47": "Cortex-A710",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}


class Host(Record):
    """A machine's fingerprint."""

    cpu: str
    """The CPU's name; on Arm the name of the core."""
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
    """The clock governor of the first CPU; null where the kernel reports none."""
    emulated: str | None = None
    """The evidence that the machine is emulated; null if it is not."""
    accelerators: tuple[str, ...] = ()
    """The GPUs that drivers offer, with the drivers' versions."""


def read_host(snapshot: SystemSnapshot | None = None) -> Host:
    """Read the fingerprint of a machine; of this one by default."""
    snapshot = here() if snapshot is None else snapshot
    cpuinfo = text(snapshot.root / "proc/cpuinfo") or ""
    cpu, features = name_and_flags(cpuinfo)
    board = next((model for path in _BOARD_FILES if (model := text(snapshot.root / path))), None)
    return Host(
        cpu=cpu or snapshot.processor or snapshot.architecture,
        board=board,
        architecture=snapshot.architecture,
        physical_cores=len(one_cpu_per_core(snapshot.usable_cpus, snapshot.root)),
        usable_cpus=len(snapshot.usable_cpus),
        cpu_features=tuple(sorted(features & _FEATURES)),
        memory_bytes=snapshot.memory_bytes,
        os=snapshot.os,
        kernel=snapshot.kernel,
        python=snapshot.python,
        governor=read_governor(snapshot.root),
        emulated=emulator_of(
            board, snapshot.declared_emulated, snapshot.programs_above, snapshot.architecture, cpuinfo
        ),
        accelerators=tuple(found_accelerators(snapshot.root)),
    )


def cpu_class_here() -> CpuClass | None:
    """Return the class of this machine's CPU; None if the class is unknown."""
    host = read_host()
    return class_of(host.architecture, host.cpu_features)


def one_cpu_per_core(cpus: Iterable[int] | None = None, root: Path = ROOT) -> list[int]:
    """Return one CPU number for each physical core of `cpus`, without its hyper-threads.

    `cpus`: by default those that this process may use.
    """
    chosen: dict[str, int] = {}
    for cpu in usable_cpus() if cpus is None else cpus:
        siblings = text(root / _CPU_FOLDER / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu)
        chosen.setdefault(siblings, cpu)
    return sorted(chosen.values())


def cpus_for(threads: int) -> tuple[int, ...] | None:
    """Return the CPUs to pin `threads` threads to: whole cores first, then hyper-threads.

    None if the system cannot pin.
    """
    if sys.platform != "linux":
        return None
    cores = one_cpu_per_core()
    rest = [cpu for cpu in usable_cpus() if cpu not in cores]
    return tuple((cores + rest)[:threads])


def name_and_flags(cpuinfo: str) -> tuple[str | None, set[str]]:
    """Return the CPU's name and flags from the text of /proc/cpuinfo; on Arm the name of its (first) core."""
    first: dict[str, str] = {}
    flags = set[str]()
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        first.setdefault(key.strip(), value.strip())
        if key.strip() in ("flags", "Features"):
            flags.update(value.split())
    name = first.get("model name")
    if name is None and first.get("CPU implementer") == _ARM:
        name = _ARM_CORES.get(first.get("CPU part", ""))
    return name, flags
