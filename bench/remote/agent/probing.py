"""Looks at a board before anything is put on it: facts and small files, read and not judged.

What they mean is found out on the laptop, by the same functions that read a machine from its own files.
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
_STAT = "/proc/stat"


def look(store: Store, patterns: list[str], vcgencmd: list[str], modules: dict[str, str]) -> dict[str, Any]:
    """Return what this machine is and how it stands.

    `patterns`: of the files to read; `vcgencmd`: the words to ask a Raspberry Pi's firmware; `modules`: by
    the name of each, that of the distribution whose version is wanted if it can be imported here.
    """
    before, begin = _text(_STAT), time.monotonic()
    time.sleep(_WATCH_S)
    existing = next(one for one in (store.root, *store.root.parents) if one.exists())
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
        "held_bytes": store.held_bytes(),
        "disk_free_bytes": disk.free,
        "modules": {name: found for name, package in modules.items() if (found := _version(name, package))},
        "files": {path: _text(path) for pattern in patterns for path in sorted(glob.glob(pattern))},
        "vcgencmd": {word: said for word in vcgencmd if (said := _ask(word)) is not None},
        "stat_before": before,
        "watched_s": time.monotonic() - begin,
    }


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
    found, pid = [], os.getppid()
    while pid > 1:
        found += _text(f"/proc/{pid}/cmdline").split("\0")[:1]
        status = dict(
            line.split(":\t", 1) for line in _text(f"/proc/{pid}/status").splitlines() if ":\t" in line
        )
        pid = int(status.get("PPid", 0))
    return found


def _version(module: str, package: str) -> "str | None":
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # onnxruntime-gpu, say, bears another name
        return "version not told"


def _text(path: str) -> str:
    """Return the beginning of a small file's text; nothing for a device, or what may not be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return ""
        with Path(path).open(errors="replace") as file:
            return file.read(_LONGEST_FILE)
    except OSError:
        return ""


def _ask(word: str) -> "str | None":
    if (path := shutil.which("vcgencmd")) is None:
        return None
    try:
        done = subprocess.run(
            [path, word],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_COMMAND_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
