"""A limit on a process's memory by a control group of the kernel, in cgroup v1 and v2.

It knows the kernel's files, and nothing of cases. Sources: the Linux kernel's admin-guide/cgroup-v1/memory
and admin-guide/cgroup-v2.
"""

import os
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.filesystem.unfinished import held, new_folder
from bench.system.cgroups import VERSION_2, own_groups
from bench.system.kernel_files import ROOT, text

# A command that joins the group of the given processes file, and then becomes the next command.
JOIN = ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"')
_NAME = re.compile(r"edgefit-[0-9]+-[0-9a-f]{8}")
_PROCESSES = "cgroup.procs"
_LIMIT_TO_TRY = 1 << 30
_SECONDS_TO_EMPTY = 2.0
_STEP_S = 0.02


@dataclass(frozen=True)
class Cgroup:
    """Where groups can be made: `parent`, and the files that limit memory and swap there.

    `home`: the group that this process is in, to which one that is released comes back. `none`: what is
    written to a file for no limit.
    """

    parent: Path
    home: Path
    limit: str
    with_swap: str
    swap_counts: bool
    none: str

    @contextmanager
    def group(self, limit_bytes: int) -> Iterator["MemoryGroup"]:
        """Create a group with a limit that includes swap; it is deleted once it is empty."""
        folder = self.parent / f"edgefit-{os.getpid()}-{secrets.token_hex(4)}"
        with new_folder(folder):
            try:
                (folder / self.limit).write_text(str(limit_bytes))
                with suppress(OSError):  # the file is missing or refused without swap accounting
                    (folder / self.with_swap).write_text(str(limit_bytes if self.swap_counts else 0))
                yield MemoryGroup(folder, self)
            finally:
                _remove(folder)


@dataclass(frozen=True)
class MemoryGroup:
    """A group that a process joins by writing its number to `processes`."""

    folder: Path
    made_by: Cgroup

    @property
    def processes(self) -> Path:
        """The file that takes the number of a process that joins."""
        return self.folder / _PROCESSES

    def release(self, pid: int) -> None:
        """Remove a process from the group: its later allocations are not limited.

        Where the system refuses that, the group loses its limit. Raises OSError if that is refused too.
        """
        try:
            (self.made_by.home / _PROCESSES).write_text(str(pid))
        except ProcessLookupError:
            return  # it died meanwhile; the next request will show that
        except OSError:
            self._lift_limit()

    def _lift_limit(self) -> None:
        control = self.made_by
        with suppress(OSError):  # the file is missing without swap accounting
            (self.folder / control.with_swap).write_text(control.none)
        (self.folder / control.limit).write_text(control.none)


def find_cgroup(root: Path = ROOT) -> Cgroup | None:
    """Return where this user can limit a process's memory; None if it cannot. A process tries it."""
    for cgroup in (*_version_1(root), *_version_2(root)):
        _sweep(cgroup.parent)
        try:
            with cgroup.group(_LIMIT_TO_TRY) as group:
                group.release(os.getpid())  # it is in that group already; the write may be refused
                joins = [*JOIN, str(group.processes), "true"]
                if subprocess.run(joins, stderr=subprocess.DEVNULL, check=False).returncode == 0:
                    return cgroup
        except OSError:  # no permission, or another interface
            continue
    return None


def _version_1(root: Path) -> list[Cgroup]:
    folders = own_groups("memory", root)
    return [
        Cgroup(parent, folders[0], "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", True, "-1")
        for parent in folders
        if (parent / "memory.limit_in_bytes").exists()
    ]


def _version_2(root: Path) -> list[Cgroup]:
    folders = own_groups(VERSION_2, root)
    return [
        Cgroup(parent, folders[0], "memory.max", "memory.swap.max", False, "max")
        for parent in folders
        if "memory" in (text(parent / "cgroup.subtree_control") or "").split()
    ]


def _sweep(parent: Path) -> None:
    """Delete the groups that killed processes left; one that is used is locked."""
    for folder in parent.glob("edgefit-*"):
        if _NAME.fullmatch(folder.name):
            with held(folder) as is_abandoned, suppress(OSError):
                if is_abandoned:
                    os.rmdir(folder)


def _remove(folder: Path) -> None:
    """Delete a group; killed processes leave it a moment later. A group that stays does no harm."""
    deadline = time.monotonic() + _SECONDS_TO_EMPTY
    while True:
        try:
            os.rmdir(folder)
        except OSError:
            if time.monotonic() > deadline:
                return
            time.sleep(_STEP_S)
        else:
            return
