"""Memory that is freed stays with the process for a while, and is given back in the end.

Each test is a process of its own: what another test has freed could be used again.
"""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only the GNU C library has mallopt")
BYTES = 40 << 20
BEGINNING = f"""
import json, resource
import numpy as np
from models.memory_reuse import reused_memory

def cleared_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        np.empty({BYTES}, np.uint8).fill(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
"""


def numbers_of(script: str) -> tuple[int, int]:
    """Return the two numbers that a process prints."""
    command = [sys.executable, "-c", BEGINNING + script]
    first, second = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return first, second


def test_a_freed_block_is_used_again_without_new_pages() -> None:
    ordinary, reused = numbers_of(
        """
ordinary = cleared_pages()
with reused_memory():
    print(json.dumps([ordinary, cleared_pages()]))
"""
    )

    assert reused < ordinary / 3


def test_the_memory_is_given_back_in_the_end() -> None:
    kept, left = numbers_of(
        f"""
with reused_memory():
    np.empty({BYTES}, np.uint8).fill(1)
    kept = resident_bytes()
print(json.dumps([kept, resident_bytes()]))
"""
    )

    assert left < kept - BYTES / 2


def test_afterwards_memory_is_given_back_as_before() -> None:
    held, left = numbers_of(
        f"""
with reused_memory():
    pass
block = np.empty({2 * BYTES}, np.uint8)
block.fill(1)
held = resident_bytes()
del block
print(json.dumps([held, resident_bytes()]))
"""
    )

    assert left < held - BYTES
