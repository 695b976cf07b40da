"""What this machine is and how it stands: the fingerprint in a report, and what doctor looks at.

It reads files and asks psutil; what the values mean for a measurement stands in doubts.
"""

import os
import platform
import sys
from pathlib import Path

import psutil

from bench.records import Record

_SECONDS_TO_WATCH = 0.5
_CPU_FOLDER = Path("/sys/devices/system/cpu")
_BOARD_FILES = (Path("/proc/device-tree/model"), Path("/sys/firmware/devicetree/base/model"))
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


class HostState(Record):
    """How the machine stands now. `busy_share`: of all CPUs, what others used while this was read."""

    busy_share: float
    available_bytes: int
    swap_used_bytes: int
    on_battery: bool


def read_host() -> Host:
    """Read this machine's fingerprint."""
    cpu, features = _cpu()
    return Host(
        cpu=cpu,
        board=_board(),
        architecture=platform.machine(),
        physical_cores=len(one_cpu_per_core()),
        usable_cpus=len(usable_cpus()),
        cpu_features=tuple(sorted(features & _FEATURES)),
        memory_bytes=psutil.virtual_memory().total,
        os=_os_name(),
        kernel=platform.release(),
        python=platform.python_version(),
        governor=_text(_CPU_FOLDER / "cpu0/cpufreq/scaling_governor"),
    )


def read_state() -> HostState:
    """Read how the machine stands now."""
    battery = psutil.sensors_battery()
    return HostState(
        busy_share=psutil.cpu_percent(interval=_SECONDS_TO_WATCH) / 100,
        available_bytes=psutil.virtual_memory().available,
        swap_used_bytes=psutil.swap_memory().used,
        on_battery=battery is not None and battery.power_plugged is False,
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
        siblings = _text(_CPU_FOLDER / f"cpu{cpu}/topology/thread_siblings_list") or str(cpu)
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
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else []:
        key, _, value = line.partition(":")
        if key.strip() == "model name" and not name:
            name = value.strip()
        if key.strip() in ("flags", "Features"):
            features.update(value.split())
    return name or platform.processor() or platform.machine(), features


def _board() -> str | None:
    return next((text.rstrip("\0") for path in _BOARD_FILES if (text := _text(path))), None)


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)


def _text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:  # the kernel or the board has no such file
        return None
