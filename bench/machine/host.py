"""What this machine is: the fingerprint in a report. How it stands at a moment is machine.state's."""

import os
import platform
import sys

import psutil

from bench.machine.readings import ROOT, text
from bench.records import Record

_CPU_FOLDER = ROOT / "sys/devices/system/cpu"
_BOARD_FILES = (ROOT / "proc/device-tree/model", ROOT / "sys/firmware/devicetree/base/model")
# What decides how fast int8 and half precision can be: x86's VNNI and AVX-512, Arm's dot product and FP16.
_FEATURES = frozenset(
    {
        *("avx2", "f16c", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "avx512_fp16", "amx_int8"),
        *("asimd", "asimddp", "asimdhp", "i8mm", "sve"),
    }
)


class Host(Record):
    """A machine's fingerprint. `cpu_features`: those that matter to inference; `memory_bytes`: all of it."""

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


def read_host() -> Host:
    """Read this machine's fingerprint."""
    cpu, features = _cpu()
    return Host(
        cpu=cpu,
        board=next((found for path in _BOARD_FILES if (found := text(path))), None),
        architecture=platform.machine(),
        physical_cores=len(one_cpu_per_core()),
        usable_cpus=len(usable_cpus()),
        cpu_features=tuple(sorted(features & _FEATURES)),
        memory_bytes=psutil.virtual_memory().total,
        os=_os_name(),
        kernel=platform.release(),
        python=platform.python_version(),
        governor=text(_CPU_FOLDER / "cpu0/cpufreq/scaling_governor"),
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


def _cpu() -> tuple[str, set[str]]:
    name, features = "", set[str]()
    for line in (text(ROOT / "proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name" and not name:
            name = value.strip()
        if key.strip() in ("flags", "Features"):
            features.update(value.split())
    return name or platform.processor() or platform.machine(), features


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)
