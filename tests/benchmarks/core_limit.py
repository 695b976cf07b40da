"""What one core can do at most, measured by its own instructions: its clock, and int8 products a second.

`python tests/benchmarks/core_limit.py` prints both for x86. A virtual machine shows no clock, and the clock
of a core changes while it works, so both are timed: a chain of additions takes one cycle each, and 24
independent VPDPBUSD of 64 products each keep a core's int8 units busy. Whatever a runtime reaches is compared
with that. The code is assembled here, so that no compiler is needed.
"""

import ctypes
import mmap
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from bench.system.cpus import cpus_for

_COUNT_DOWN = bytes.fromhex("48ffcf")  # dec rdi
_ADD = bytes.fromhex("4883e801")  # sub rax, 1
_END = bytes.fromhex("c5f877c3")  # vzeroupper; ret
_CHAIN = 16
_ACCUMULATORS = 24
_PRODUCTS = 64  # of one VPDPBUSD in 512 bits
_PASSES, _REPEATS = 20_000, 100


@dataclass(frozen=True)
class CoreLimit:
    """What one core reaches at most."""

    clock_ghz: float
    """Cycles in a nanosecond."""
    int8_gmacs: float | None
    """Billions of int8 multiply-accumulates a second; None on a CPU without AVX512-VNNI."""

    @property
    def sentence(self) -> str:
        """What was measured, in words."""
        if self.int8_gmacs is None:
            return f"core: {self.clock_ghz:.2f} GHz, without AVX512-VNNI"
        each = self.int8_gmacs / self.clock_ghz
        return f"core: {self.clock_ghz:.2f} GHz x {each:.0f} int8 products = {self.int8_gmacs:.0f} GMAC/s"


def core_limit() -> CoreLimit:
    """Measure this process's core; it must be pinned to one, and idle for a few hundredths of a second."""
    if platform.machine() != "x86_64":
        raise SystemExit(f"this script has instructions for x86-64 only, and this is {platform.machine()}")
    clock = _CHAIN / _nanoseconds(_ADD * _CHAIN)
    if "avx512_vnni" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        return CoreLimit(clock, None)
    products = b"".join(map(_vpdpbusd, range(_ACCUMULATORS)))
    return CoreLimit(clock, _ACCUMULATORS * _PRODUCTS / _nanoseconds(products))


def _vpdpbusd(register: int) -> bytes:
    """Assemble `vpdpbusd zmm<register>, zmm30, zmm31`: EVEX.512.66.0F38.W0 50 /r."""
    inverted_r = (0 if register & 8 else 0x80) | (0 if register & 16 else 0x10)
    return bytes([0x62, 0x02 | inverted_r, 0x0D, 0x40, 0x50, 0xC7 | (register & 7) << 3])


def _nanoseconds(body: bytes) -> float:
    """Return how long a piece of code takes at best, in a loop."""
    loop = body + _COUNT_DOWN
    loop += b"\x0f\x85" + (-len(loop) - 6).to_bytes(4, "little", signed=True) + _END  # jnz to the start
    with mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC) as page:
        page.write(loop)
        start = ctypes.c_char.from_buffer(page)
        run = ctypes.CFUNCTYPE(None, ctypes.c_uint64)(ctypes.addressof(start))
        times = []
        for _ in range(_REPEATS):
            began = time.perf_counter_ns()
            run(_PASSES)
            times.append(time.perf_counter_ns() - began)
        del start  # the page cannot be closed before
    return min(times) / _PASSES


if __name__ == "__main__":
    os.sched_setaffinity(0, cpus_for(1) or ())
    print(core_limit().sentence)
