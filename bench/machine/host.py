"""What this machine is: the fingerprint in a report. How it stands at a moment is machine.state's."""

import os
import platform
import sys
from typing import get_args

import psutil

from bench.machine.accelerators import found_accelerators
from bench.machine.emulation import emulator_of
from bench.machine.readings import ROOT, text
from bench.records import Record
from device_profiles.facts import Feature

_CPU_FOLDER = ROOT / "sys/devices/system/cpu"
_BOARD_FILES = (ROOT / "proc/device-tree/model", ROOT / "sys/firmware/devicetree/base/model")
_FEATURES = frozenset(get_args(Feature))
# /proc/cpuinfo names an Arm core by a number alone: "CPU part" of implementer 0x41, which is Arm itself.
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
    """A machine's fingerprint.

    `cpu`: its name, on Arm that of the core; `cpu_features`: those that matter to inference; `memory_bytes`:
    all of it; `emulated`: by what it is known to be emulated, null if it is not;
    `accelerators`: the GPUs that drivers offer, with the drivers' versions.
    """

    cpu: str
    board: str | None
    architecture: str
    physical_cores: int
    usable_cpus: int
    cpu_features: tuple[str, ...]
    memory_bytes: int
    os: str
    kernel: str
    python: str
    governor: str | None
    emulated: str | None = None
    accelerators: tuple[str, ...] = ()


def read_host() -> Host:
    """Read this machine's fingerprint."""
    cpuinfo = text(ROOT / "proc/cpuinfo") or ""
    cpu, features = name_and_flags(cpuinfo)
    board = next((found for path in _BOARD_FILES if (found := text(path))), None)
    return Host(
        cpu=cpu or platform.processor() or platform.machine(),
        board=board,
        architecture=platform.machine(),
        physical_cores=len(one_cpu_per_core()),
        usable_cpus=len(usable_cpus()),
        cpu_features=tuple(sorted(features & _FEATURES)),
        memory_bytes=psutil.virtual_memory().total,
        os=_os_name(),
        kernel=platform.release(),
        python=platform.python_version(),
        governor=text(_CPU_FOLDER / "cpu0/cpufreq/scaling_governor"),
        emulated=emulator_of(board, cpuinfo=cpuinfo),
        accelerators=tuple(found_accelerators()),
    )


def usable_cpus() -> list[int]:
    """Return the numbers of the CPUs this process may use."""
    if sys.platform == "linux":
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def one_cpu_per_core() -> list[int]:
    """Return one usable CPU number for each physical core, leaving out its hyper-threads."""
    chosen: dict[str, int] = {}
    for cpu in usable_cpus():
        siblings = text(_CPU_FOLDER / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu)
        chosen.setdefault(siblings, cpu)
    return sorted(chosen.values())


def cpus_for(threads: int) -> tuple[int, ...] | None:
    """Return the CPUs to pin `threads` threads to: whole cores first, then hyper-threads.

    None where the system cannot pin.
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


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)
