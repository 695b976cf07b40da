"""The control groups that this process is in, in cgroup v1, v2 and both at once. It reads no limit.

Sources: cgroups(7), cgroup_namespaces(7), proc_pid_mountinfo(5).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.system.kernel_files import ROOT, text

_TOP = PurePosixPath("/")
VERSION_2 = ""
"""The name that stands for the groups of version 2, which have all controllers."""


@dataclass(frozen=True)
class _Mount:
    """A hierarchy of groups in the file system."""

    folder: str
    """Where it is mounted, without the first slash."""
    top: PurePosixPath
    """The group that the folder shows. A container sees its own group there, or the one of its host."""


def own_groups(controller: str, root: Path = ROOT) -> list[Path]:
    """Return the folders of this process's group and of those above it, the innermost first.

    `controller`: such as `cpu` for version 1, or `VERSION_2`. Empty if no such hierarchy is mounted.
    """
    own = _own_path(controller, root)
    for mount in _mounts(controller, root):
        base = root / mount.folder
        inner = own.relative_to(mount.top) if own.is_relative_to(mount.top) else PurePosixPath()
        # A group outside of the namespace begins with `..`: only the top of the mount is visible then.
        inner = PurePosixPath() if ".." in inner.parts else inner
        folders = [base / inner, *(base / above for above in inner.parents)]
        if existing := [folder for folder in dict.fromkeys(folders) if folder.is_dir()]:
            return existing
    return []


def _own_path(controller: str, root: Path) -> PurePosixPath:
    """Return the path of this process's group under a controller; version 2 has one without a name."""
    for line in (text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return _TOP / path
    return _TOP


def _mounts(controller: str, root: Path) -> Iterator[_Mount]:
    """Yield the mounts of a hierarchy; where the kernel lists none, the usual places."""
    kind = "cgroup2" if controller == VERSION_2 else "cgroup"
    for line in (text(root / "proc/self/mountinfo") or "").splitlines():
        before, _, after = line.partition(" - ")
        fields, (found, _, options) = before.split(" "), after.split(" ", 2)
        if found == kind and (controller == VERSION_2 or controller in options.split(",")):
            yield _Mount(_unescaped(fields[4]).lstrip("/"), _TOP / _unescaped(fields[3]))
    usual = ("sys/fs/cgroup", "sys/fs/cgroup/unified")
    if controller != VERSION_2:
        usual = (f"sys/fs/cgroup/{controller}", f"sys/fs/cgroup/{controller},cpuacct")
    yield from (_Mount(folder, _TOP) for folder in usual)


def _unescaped(path: str) -> str:
    return re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), path)
