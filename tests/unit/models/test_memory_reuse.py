"""Memory that is freed stays with the process for a while, and is given back in the end."""

import resource
import sys

import numpy as np
import pytest

from models.memory_reuse import reused_memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only the GNU C library has mallopt")
BLOCKS = 10
BYTES = 40 << 20


def _faults_of_blocks() -> int:
    """Write to a large block ten times, freeing it each time, and count the pages that were cleared."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(BLOCKS):
        np.empty(BYTES, np.uint8).fill(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def _resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def test_a_freed_block_is_used_again_without_new_pages() -> None:
    ordinary = _faults_of_blocks()

    with reused_memory():
        reused = _faults_of_blocks()

    assert reused < ordinary / 3


def test_the_memory_is_given_back_in_the_end() -> None:
    with reused_memory():
        np.empty(BYTES, np.uint8).fill(1)
        kept = _resident_bytes()

    assert _resident_bytes() < kept - BYTES / 2


def test_afterwards_memory_is_given_back_as_before() -> None:
    with reused_memory():
        pass

    block = np.empty(2 * BYTES, np.uint8)
    block.fill(1)
    held = _resident_bytes()
    del block

    assert _resident_bytes() < held - BYTES
