"""A machine as it can be seen: this one, or another by the readings that came from it.

Files of the kernel lie below `root`; the rest is what no file tells. It judges nothing.
"""

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.system.kernel_files import ROOT

# Set by whoever makes an emulated board, for those who want to know.
TELLS_EMULATION = "EDGEFIT_EMULATED"


@dataclass(frozen=True)
class SystemSnapshot:
    """What a process on a machine sees.

    `usable_cpus`: the numbers of those it may use; `memory_bytes`: all of it; `programs_above`: those of the
    processes above it, for an emulated one sees its own command as if it were native, and its parents' as
    they are; `available_emulated`: by whom the board was made, None if nobody says so.
    """

    root: Path
    architecture: str
    processor: str
    kernel: str
    os: str
    python: str
    usable_cpus: tuple[int, ...]
    memory_bytes: int
    programs_above: tuple[str, ...]
    available_emulated: str | None


def here() -> SystemSnapshot:
    """See this machine."""
    return SystemSnapshot(
        root=ROOT,
        architecture=platform.machine(),
        processor=platform.processor(),
        kernel=platform.release(),
        os=_os_name(),
        python=platform.python_version(),
        usable_cpus=tuple(usable_cpus()),
        memory_bytes=psutil.virtual_memory().total,
        programs_above=tuple(_programs_above()),
        available_emulated=os.environ.get(TELLS_EMULATION),
    )


def usable_cpus() -> list[int]:
    """Return the numbers of the CPUs this process may use."""
    if sys.platform == "linux":
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)


def _programs_above() -> list[str]:
    found = []
    for process in psutil.Process().parents():
        try:
            found += process.cmdline()[:1]
        except psutil.Error:  # it ended meanwhile, or is not ours to look at
            continue
    return found
