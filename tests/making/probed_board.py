"""The answer of a Raspberry Pi 4 to a probe, as its agent would send it."""

from typing import Any

from bench.remote.agent_messages import ProbeFacts, read_answer
from bench.remote.probe import BoardProbe

_CPU = "/sys/devices/system/cpu/cpu"
_CORE = "processor\t: {0}\nFeatures\t: fp asimd crc32\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n\n"


def pi_4(**changes: Any) -> dict[str, Any]:
    """Return the answer; `changes` replace whole values."""
    cores = range(4)
    files = {
        "/proc/cpuinfo": "".join(_CORE.format(core) for core in cores),
        "/proc/meminfo": "MemTotal: 3884032 kB\nMemAvailable: 3500032 kB\n"
        "SwapTotal: 102400 kB\nSwapFree: 92160 kB\n",
        "/proc/stat": "cpu 150 0 50 1050 0 0 0 0 0 0\n",
        "/proc/vmstat": "pswpin 3\n",
        "/proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
        f"{_CPU}0/cpufreq/scaling_governor": "ondemand\n",
        **{f"{_CPU}{core}/topology/thread_siblings_list": f"{core}\n" for core in cores},
        "/sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
        "/sys/class/thermal/thermal_zone0/temp": "48200\n",
    }
    return {
        "python": [3, 11, 2],
        "implementation": "CPython",
        "abi_flags": "",
        "bits": 64,
        "architecture": "aarch64",
        "libc": ["glibc", "2.36"],
        "system": "Linux",
        "kernel": "6.6.74+rpt-rpi-v8",
        "os": "Debian GNU/Linux 12 (bookworm)",
        "usable_cpus": [0, 1, 2, 3],
        "programs_above": ["sshd: pi@notty", "/sbin/init"],
        "emulated": None,
        "store": "/home/pi/.cache/edgefit-board",
        "may_write": True,
        "may_execute": True,
        "store_bytes": 0,
        "disk_free_bytes": 20 << 30,
        "modules": {},
        "files": files,
        "vcgencmd": {"get_throttled": "throttled=0x50000\n"},
        "stat_before": "cpu 100 0 50 900 0 0 0 0 0 0\n",
        **changes,
    }


def with_files(**changes: Any) -> dict[str, Any]:
    """Return the answer of a Pi on which some files have another text; None for one that is missing."""
    files = {**pi_4()["files"], **changes}
    return pi_4(files={path: text for path, text in files.items() if text is not None})


def probe_of(answer: dict[str, Any]) -> BoardProbe:
    """Return the probe of a board with this answer."""
    return BoardProbe("board", read_answer("board", ProbeFacts, answer))
