"""How CPUs multiply int8, by class: where sums of products saturate, and which weights keep them from it.

x86 without VNNI adds products of uint8 and int8 in pairs in 16 bits (`vpmaddubsw`), which saturate beyond
32,767; VNNI and Arm add them in 32 bits. Weights of at most ±64 cannot saturate: 2 × 255 × 64 = 32,640.
It knows instruction sets and no runtime. A test verifies it with the kernels of each runtime.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

ARM_MACHINES = frozenset({"aarch64", "arm64", "armv8l", "armv7l"})
X86_MACHINES = frozenset({"x86_64", "amd64", "i686"})
VNNI = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})
_ARM_DOT_PRODUCT = frozenset({"asimddp"})
PORTABLE = "portable"
FULL_LEVEL = 127
# 255 is the largest uint8 activation, and two products are added: 2 × 255 × 64 ≤ 32,767 < 2 × 255 × 65.
SAFE_LEVEL = 64


class CpuClass(str, Enum):
    """CPUs whose int8 kernels compute the same. class_of returns the class of a machine."""

    X86 = "x86"
    X86_VNNI = "x86-vnni"
    ARM = "arm"
    ARM_DOT_PRODUCT = "arm-dot-product"

    @property
    def saturates(self) -> bool:
        """Whether its kernels add products in 16 bits."""
        return self is CpuClass.X86

    @property
    def description(self) -> str:
        """The name of the class, as part of a sentence."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    CpuClass.X86: "x86 without VNNI",
    CpuClass.X86_VNNI: "x86 with VNNI",
    CpuClass.ARM: "Arm without dot product",
    CpuClass.ARM_DOT_PRODUCT: "Arm with dot product",
}


@dataclass(frozen=True)
class CpuTarget:
    """A value of `--cpu`. `classes`: the CPU classes on which its int8 artifacts must be correct."""

    classes: tuple[CpuClass, ...]

    @property
    def weight_level(self) -> int:
        """The largest absolute value of an int8 weight: ±64 where a class would saturate, else ±127."""
        return SAFE_LEVEL if any(each.saturates for each in self.classes) else FULL_LEVEL


TARGETS: Mapping[str, CpuTarget] = {
    PORTABLE: CpuTarget(tuple(CpuClass)),
    "x86-vnni": CpuTarget((CpuClass.X86_VNNI,)),
    "x86": CpuTarget((CpuClass.X86, CpuClass.X86_VNNI)),
    "arm": CpuTarget((CpuClass.ARM, CpuClass.ARM_DOT_PRODUCT)),
}


def class_of(machine: str, features: Iterable[str]) -> CpuClass | None:
    """Return the class of a CPU by its architecture (`platform.machine()`) and its features (see Host).

    None for an unknown architecture.
    """
    available = frozenset(features)
    if machine.lower() in ARM_MACHINES:
        return CpuClass.ARM_DOT_PRODUCT if available & _ARM_DOT_PRODUCT else CpuClass.ARM
    if machine.lower() in X86_MACHINES:
        return CpuClass.X86_VNNI if available & VNNI else CpuClass.X86
    return None
