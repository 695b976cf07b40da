"""A limit to a process's memory by a control group of the kernel, as cgroup v1 and v2 offer them.

It knows the kernel's files, and nothing of cases. Sources: the Linux kernel's admin-guide/cgroup-v1/memory
and admin-guide/cgroup-v2.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bench.system.kernel_files import ROOT, text

# A command that joins the group whose processes file follows, and becomes the command after that.
JOIN = ("/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"')
_PROCESSES = "cgroup.procs"
_LIMIT_TO_TRY = 1 << 30
_SECONDS_TO_EMPTY = 2.0
_STEP_S = 0.02


@dataclass(frozen=True)
class Cgroup:
    """Where groups can be made: `parent`, and the files that limit memory and swap there.

    `home`: the group that this process is in, to which one that is released comes back.
    """

    parent: Path
    home: Path
    limit: str
    with_swap: str
    swap_counts: bool

    @contextmanager
    def group(self, limit_bytes: int) -> Iterator["MemoryGroup"]:
        """Make a group with a limit, swap included; it is removed in the end, when nobody is left in it."""
        folder = self.parent / f"edgefit-{uuid4().hex[:12]}"
        folder.mkdir()
        try:
            (folder / self.limit).write_text(str(limit_bytes))
            with suppress(OSError):  # a kernel without swap accounting has no such file, or refuses it
                (folder / self.with_swap).write_text(str(limit_bytes if self.swap_counts else 0))
            yield MemoryGroup(folder, self.home)
        finally:
            _remove(folder)


@dataclass(frozen=True)
class MemoryGroup:
    """A group that processes join by writing their number to `processes`."""

    folder: Path
    home: Path

    @property
    def processes(self) -> Path:
        """The file that takes the number of a process that joins."""
        return self.folder / _PROCESSES

    def release(self, pid: int) -> None:
        """Have a process leave: what it allocates from now on is not limited."""
        with suppress(ProcessLookupError):  # it died meanwhile, which the next question to it will show
            (self.home / _PROCESSES).write_text(str(pid))


def find_cgroup(root: Path = ROOT) -> Cgroup | None:
    """Return where this user can limit a process's memory; None if nowhere. A process tries it."""
    for control in (*_version_1(root), *_version_2(root)):
        try:
            with control.group(_LIMIT_TO_TRY) as group:
                group.release(os.getpid())  # which is at home already, and may or may not write that
                joins = [*JOIN, str(group.processes), "true"]
                if subprocess.run(joins, stderr=subprocess.DEVNULL, check=False).returncode == 0:
                    return control
        except OSError:  # not ours to write, or a kernel that wants it otherwise
            continue
    return None


def _version_1(root: Path) -> list[Cgroup]:
    mount = root / "sys/fs/cgroup/memory"
    if not (mount / "memory.limit_in_bytes").exists():
        return []
    folders = _from_own_to_top(mount, _own(root, "memory"))
    return [
        Cgroup(parent, folders[0], "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", swap_counts=True)
        for parent in folders
    ]


def _version_2(root: Path) -> list[Cgroup]:
    mount = root / "sys/fs/cgroup"
    folders = _from_own_to_top(mount, _own(root, ""))
    return [
        Cgroup(parent, folders[0], "memory.max", "memory.swap.max", swap_counts=False)
        for parent in folders
        if "memory" in (text(parent / "cgroup.subtree_control") or "").split()
    ]


def _own(root: Path, controller: str) -> str:
    """Return the path of this process's group under a controller; version 2 has one that has no name."""
    for line in (text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return ""


def _from_own_to_top(mount: Path, own: str) -> list[Path]:
    found = [mount / own, *(mount / own).parents]
    return [folder for folder in found if folder.is_dir() and (folder == mount or mount in folder.parents)]


def _remove(folder: Path) -> None:
    """Remove a group; those who were ended leave it a moment later. One that stays harms nobody."""
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
