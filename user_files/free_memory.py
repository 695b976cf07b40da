"""How much memory is free on this machine, or in this container. It reads files of the kernel."""

from pathlib import Path

import psutil

_CONTAINER = Path("/sys/fs/cgroup")
# What the kernel gives up at once: the content of files that were read.
_FILE_CACHE = "inactive_file"


def available_bytes(container: Path = _CONTAINER) -> int:
    """Return how many bytes can be taken before the kernel ends a process: the least of all limits."""
    free: int = psutil.virtual_memory().available
    limit, used = (_read(container / name) for name in ("memory.max", "memory.current"))
    if not limit.isdecimal() or not used.isdecimal():  # "max" is no limit
        return free
    stated = dict(line.split(maxsplit=1) for line in _read(container / "memory.stat").splitlines())
    return min(free, max(0, int(limit) - int(used) + int(stated.get(_FILE_CACHE, 0))))


def _read(path: Path) -> str:
    """Return what a file of the kernel says; "" if there is none."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
