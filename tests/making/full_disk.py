"""Disks that take no more: file systems in memory, which root alone may mount, and limits of any user."""

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """Mount a file system in memory at the new `folder`, or skip the test where that is not possible."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", options, "edgefit-test", str(folder)]
    if os.geteuid() or shutil.which("mount") is None or subprocess.run(words, check=False).returncode:
        pytest.skip("only root may mount a file system, and not in every container")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, free: int = 0) -> None:
    """Fill a disk with a single file, up to so many free bytes."""
    with (disk / "full").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    os.truncate(disk / "full", (disk / "full").stat().st_size - free)


@contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
