"""The CPUs of machines as their kernels list them: files of /proc and /sys, written from a few words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_FOLDER = "sys/devices/system/cpu"
PARTS = {"A53": "0xd03", "A55": "0xd05", "A72": "0xd08", "A73": "0xd09", "A76": "0xd0b", "A77": "0xd0d"} | {
    "A78AE": "0xd42",
    "unknown": "0xfff",
}


@dataclass(frozen=True)
class Cpu:
    """One logical CPU. What is None has no file."""

    part: str | None = None
    capacity: int | None = None
    max_khz: int | None = None
    siblings: str | None = None
    package: int | None = None


def cpu_files(cpus: Mapping[int, Cpu] | Sequence[Cpu], online: str | None = None) -> dict[str, str]:
    """Return the files of these CPUs, which are numbered from 0 unless they are given by number."""
    numbered = dict(cpus) if isinstance(cpus, Mapping) else dict(enumerate(cpus))
    files = {"proc/cpuinfo": "".join(_block(number, cpu) for number, cpu in numbered.items())}
    for number, cpu in numbered.items():
        values = {
            "cpu_capacity": cpu.capacity,
            "cpufreq/cpuinfo_max_freq": cpu.max_khz,
            "topology/thread_siblings_list": cpu.siblings,
            "topology/physical_package_id": cpu.package,
        }
        files |= {
            f"{_FOLDER}/cpu{number}/{name}": f"{value}\n"
            for name, value in values.items()
            if value is not None
        }
    if online is not None:
        files[f"{_FOLDER}/online"] = f"{online}\n"
    return files


def _block(number: int, cpu: Cpu) -> str:
    if cpu.part is None:
        return f"processor\t: {number}\nmodel name\t: Test CPU\n\n"
    part = PARTS[cpu.part]
    return f"processor\t: {number}\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: {part}\n\n"
