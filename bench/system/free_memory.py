"""The memory that programs can still have: the machine's, within the limits of a container or a service.

Sources: the Linux kernel's admin-guide/cgroup-v1/memory and admin-guide/cgroup-v2.
"""

from collections.abc import Iterator
from pathlib import Path

import psutil

from bench.system.cgroups import VERSION_2, own_groups
from bench.system.kernel_files import ROOT, number, text

# The files of a group: its limit, and what it uses.
_FILES = {
    VERSION_2: ("memory.max", "memory.current"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes"),
}
_CACHE = "inactive_file "


def free_bytes() -> int:
    """Return the memory that this process and those that it starts can still have."""
    return min([int(psutil.virtual_memory().available), *left_in_groups()])


def left_in_groups(root: Path = ROOT) -> Iterator[int]:
    """Yield what is left of the limit of each control group of this process that has one.

    The cache of files that nobody has read twice is given back when memory is needed.
    """
    for controller, (limit_file, used_file) in _FILES.items():
        for folder in own_groups(controller, root):
            limit, used = number(folder / limit_file), number(folder / used_file)
            if limit is not None and used is not None:
                yield max(0, limit - used + _cache_of(folder))


def _cache_of(folder: Path) -> int:
    lines = (text(folder / "memory.stat") or "").splitlines()
    return next((int(line.removeprefix(_CACHE)) for line in lines if line.startswith(_CACHE)), 0)
