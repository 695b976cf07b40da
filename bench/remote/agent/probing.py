"""Probes a board before anything is put on it: it reads facts and small files, and judges nothing.

The laptop interprets them, with the same functions that read its own files.
"""

import glob
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.remote.agent.store import Store

_WATCH_S = 0.5
_COMMAND_LIMIT_S = 5.0
_LONGEST_FILE = 1 << 17
_LONGEST_PROGRAM = 4096
_STAT = "/proc/stat"


def probe(
    store: Store,
    patterns: list[str],
    vcgencmd: list[str],
    modules: dict[str, str],
    group_files: list[str],
    variables: list[str],
) -> dict[str, Any]:
    """Return what this machine is and what state it is in.

    `patterns`: of the files to read; `vcgencmd`: the arguments for a Raspberry Pi's program of this name, one
    call each; `modules`: the modules to look for, each with the name of its distribution; `group_files`: the
    names of the files to read of control groups; `variables`: how the names of the variables to return begin.
    The answer is bench.remote.agent_messages.ProbeFacts.
    """
    before = _text(_STAT)
    time.sleep(_WATCH_S)
    existing = next(path for path in (store.root, *store.root.parents) if path.exists())
    disk = shutil.disk_usage(existing)
    return {
        "python": list(sys.version_info[:3]),
        "implementation": platform.python_implementation(),
        "abi_flags": sys.abiflags,
        "bits": 8 * struct.calcsize("P"),
        "architecture": platform.machine(),
        "libc": _libc(),
        "system": platform.system(),
        "kernel": platform.release(),
        "os": _os_name(),
        "usable_cpus": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [],
        "programs_above": _programs_above(),
        "emulated": os.environ.get("EDGEFIT_EMULATED"),
        "store": str(store.root),
        "may_write": os.access(existing, os.W_OK | os.X_OK),
        "may_execute": not os.statvfs(existing).f_flag & getattr(os, "ST_NOEXEC", 0),
        "store_bytes": store.size_bytes(),
        "disk_free_bytes": disk.free,
        "modules": _versions(modules),
        "files": {path: _text(path) for path in [*_matching(patterns), *_in_own_groups(group_files)]},
        "variables": {name: value for name, value in os.environ.items() if name.startswith(tuple(variables))},
        "vcgencmd": _firmware_outputs(vcgencmd),
        "stat_before": before,
    }


def _matching(patterns: list[str]) -> list[str]:
    return [path for pattern in patterns for path in sorted(glob.glob(pattern))]


def _in_own_groups(names: list[str]) -> list[str]:
    """Return the files with these names of the control groups that this process is in, directly or not.

    A container's mount may begin anywhere in a group's path, so every part of the path is tried.
    """
    lines = _text("/proc/self/mountinfo").splitlines()
    mounts = [Path(line.split(" ")[4]) for line in lines if " - cgroup" in line]
    groups = {Path()}
    for line in _text("/proc/self/cgroup").splitlines():
        parts = line.split(":", 2)[2].strip("/").split("/")
        ends = range(len(parts) + 1)
        groups |= {Path(*parts[i:j]) for i in ends for j in ends if i < j and ".." not in parts}
    paths = {mount / group / name for mount in mounts for group in groups for name in names}
    return sorted(str(path) for path in paths if path.is_file())


def _libc() -> "list[str] | None":
    """Return the C library's name and version: `glibc` is the one that most wheels are built for."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return None
    return [name, version] if version else None


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)


def _programs_above() -> list[str]:
    """Return the programs of the processes above this one, an emulator's perhaps among them."""
    programs, pid = [], os.getppid()
    while pid > 1:
        programs += [_text(f"/proc/{pid}/cmdline").split("\0")[0][:_LONGEST_PROGRAM]]
        status = dict(
            line.split(":\t", 1) for line in _text(f"/proc/{pid}/status").splitlines() if ":\t" in line
        )
        pid = int(status.get("PPid", 0))
    return programs


def _versions(modules: dict[str, str]) -> dict[str, str]:
    """Return the versions of those modules that can be imported."""
    versions = {name: _version(name, package) for name, package in modules.items()}
    return {name: version for name, version in versions.items() if version}


def _version(module: str, package: str) -> "str | None":
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # onnxruntime-gpu, for one, has another name
        return "unknown version"


def _text(path: str) -> str:
    """Return the beginning of a small file's text; nothing for a device, or what may not be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return ""
        with Path(path).open(errors="replace") as file:
            return file.read(_LONGEST_FILE)
    except OSError:
        return ""


def _firmware_outputs(arguments: list[str]) -> dict[str, str]:
    """Return what vcgencmd prints for each argument with which it succeeds."""
    outputs = {argument: _firmware_output(argument) for argument in arguments}
    return {argument: output for argument, output in outputs.items() if output is not None}


def _firmware_output(argument: str) -> "str | None":
    if (path := shutil.which("vcgencmd")) is None:
        return None
    try:
        done = subprocess.run(
            [path, argument],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_COMMAND_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
