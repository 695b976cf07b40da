"""Programs on a CPU that this machine may not have: qemu runs them, instruction by instruction.

That takes many times as long. What qemu lacks (7.2: AVX-512 and VNNI) no emulated CPU has.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

# What a kind of CPU is called by `edgefit export --cpu`, and by qemu. TSX is a thing that qemu lacks.
EMULATED_CPUS = {"x86": "Haswell-noTSX"}
_QEMU = "qemu-x86_64-static"
_SECONDS = 900


def run_on(cpu: str, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Run a command on an emulated CPU and return what it said; skip the test where there is no qemu.

    `cpu`: a key of EMULATED_CPUS; `command`: a program for Linux on x86-64, by its path, and its arguments.
    What the program starts in its turn is not emulated.
    """
    qemu = shutil.which(_QEMU)
    if qemu is None:
        pytest.skip(f"no {_QEMU} here (Debian: apt install qemu-user-static)")
    words = [qemu, "-cpu", EMULATED_CPUS[cpu], *map(str, command)]
    # One thread: an emulated thread that spins while it waits takes the time of the others.
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=_SECONDS, env=environment
    )


def run_python_on(cpu: str, script: str, *words: str | Path) -> str:
    """Run a Python script with this environment's packages on an emulated CPU, and return what it prints."""
    done = run_on(cpu, [sys.executable, "-c", script, *words])
    assert done.returncode == 0, done.stderr
    return done.stdout
