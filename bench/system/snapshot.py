"""A snapshot of what a machine reports about itself: this machine, or one that sent its readings.

The kernel's files are below `root`; the fields are what no file contains. It decides nothing.
"""

import os
import platform
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.system.kernel_files import ROOT

# Whoever sets up an emulated board sets this variable to say so.
EMULATION_VARIABLE = "EDGEFIT_EMULATED"


@dataclass(frozen=True)
class SystemSnapshot:
    """What a machine reports to a process."""

    root: Path
    """The folder with the kernel's files."""
    architecture: str
    """The architecture, as `uname -m` prints it."""
    processor: str
    """The processor's name, if the platform has one."""
    kernel: str
    """The kernel's release."""
    os: str
    """The operating system's name and version."""
    python: str
    """Python's version."""
    usable_cpus: tuple[int, ...]
    """The numbers of the CPUs that the process may use."""
    memory_bytes: int
    """The whole memory."""
    programs_above: tuple[str, ...]
    """The programs of the parent processes. An emulated process sees its own command as if it were native,
    but its parents' commands unchanged."""
    declared_emulated: str | None
    """The value of EDGEFIT_EMULATED: what emulates the machine; None if it is not set."""


def here() -> SystemSnapshot:
    """Return a snapshot of this machine."""
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
        declared_emulated=os.environ.get(EMULATION_VARIABLE),
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
    """Return the programs of the parents, as far up as this user may see: /proc may hide those of others."""
    programs = []
    with suppress(psutil.Error):  # it ended meanwhile, or belongs to another user
        process = psutil.Process().parent()
        while process is not None:
            with suppress(psutil.Error):
                programs += process.cmdline()[:1]
            process = process.parent()
    return programs
