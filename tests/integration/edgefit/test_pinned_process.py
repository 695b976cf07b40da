"""A library that pins the process that loads it does not pin what edgefit measures afterwards."""

import os
import subprocess
import sys

import pytest

_LOADS = """
import os, sys
from bench.system.cpus import kept_affinity
from bench.system.thread_variables import PINNING, withheld
before = os.sched_getaffinity(0)
with {guard}:
    import torch
print(os.sched_getaffinity(0) == before, os.environ["OMP_PROC_BIND"])
"""


@pytest.mark.parametrize("guard", ["kept_affinity()", "withheld(PINNING)"])
def test_torch_with_omp_proc_bind_leaves_the_process_its_cpus(guard: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LOADS.format(guard=guard)],
        env={**os.environ, "OMP_PROC_BIND": "close"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["True", "close"]
