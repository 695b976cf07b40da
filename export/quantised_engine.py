"""Which of torch's quantised engines int8 TorchScript is made for. It knows CPUs, and no network."""

import platform
from dataclasses import dataclass

from bench.machine.host import read_host

_ARM = ("aarch64", "arm64", "armv8l", "armv7l")
_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "amx_int8"}


@dataclass(frozen=True)
class QuantisedEngine:
    """`name`: torch's own, which the worker sets before it loads; `reduce_range`: 7-bit activations.

    Without VNNI an x86 CPU adds two products in 16 bits, which 8-bit activations overflow.
    """

    name: str
    reduce_range: bool


def choose_engine(machine: str, cpu_flags: frozenset[str]) -> QuantisedEngine:
    """Return the engine for a machine (`platform.machine()`) and its CPU's flags (as in /proc/cpuinfo).

    With VNNI `onednn` keeps more accuracy than `x86`, which reduces the range (SQNR 23 against 17 dB).
    """
    if machine.lower() in _ARM:
        return QuantisedEngine("qnnpack", reduce_range=False)
    if cpu_flags & _DOT_PRODUCTS:
        return QuantisedEngine("onednn", reduce_range=False)
    return QuantisedEngine("x86", reduce_range=True)


def engine_of_this_machine() -> QuantisedEngine:
    """Return the engine for the CPU this runs on; unknown flags mean none."""
    return choose_engine(platform.machine(), frozenset(read_host().cpu_features))
