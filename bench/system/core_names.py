"""The names of the cores in /proc/cpuinfo. It knows neither their speed nor who may use them.

/proc/cpuinfo gives only numbers for an Arm core: "CPU implementer" and "CPU part". Sources: the Linux
kernel's arch/arm64/include/asm/cputype.h, and util-linux's sys-utils/lscpu-arm.c.
"""

from collections.abc import Mapping
from types import MappingProxyType

_UNKNOWN = "core "
_ARM, _NVIDIA, _QUALCOMM, _APPLE = "0x41", "0x4e", "0x51", "0x61"
_CORES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (_ARM, "0xd02"): "Cortex-A34",
        (_ARM, "0xd03"): "Cortex-A53",
        (_ARM, "0xd04"): "Cortex-A35",
        (_ARM, "0xd05"): "Cortex-A55",
        (_ARM, "0xd06"): "Cortex-A65",
        (_ARM, "0xd07"): "Cortex-A57",
        (_ARM, "0xd08"): "Cortex-A72",
        (_ARM, "0xd09"): "Cortex-A73",
        (_ARM, "0xd0a"): "Cortex-A75",
        (_ARM, "0xd0b"): "Cortex-A76",
        (_ARM, "0xd0c"): "Neoverse-N1",
        (_ARM, "0xd0d"): "Cortex-A77",
        (_ARM, "0xd0e"): "Cortex-A76AE",
        (_ARM, "0xd40"): "Neoverse-V1",
        (_ARM, "0xd41"): "Cortex-A78",
        (_ARM, "0xd42"): "Cortex-A78AE",
        (_ARM, "0xd43"): "Cortex-A65AE",
        (_ARM, "0xd44"): "Cortex-X1",
        (_ARM, "0xd46"): "Cortex-A510",
        (_ARM, "0xd47"): "Cortex-A710",
        (_ARM, "0xd48"): "Cortex-X2",
        (_ARM, "0xd49"): "Neoverse-N2",
        (_ARM, "0xd4b"): "Cortex-A78C",
        (_ARM, "0xd4c"): "Cortex-X1C",
        (_ARM, "0xd4d"): "Cortex-A715",
        (_ARM, "0xd4e"): "Cortex-X3",
        (_ARM, "0xd4f"): "Neoverse-V2",
        (_ARM, "0xd80"): "Cortex-A520",
        (_ARM, "0xd81"): "Cortex-A720",
        (_ARM, "0xd82"): "Cortex-X4",
        (_ARM, "0xd84"): "Neoverse-V3",
        (_ARM, "0xd85"): "Cortex-X925",
        (_ARM, "0xd87"): "Cortex-A725",
        (_ARM, "0xd8e"): "Neoverse-N3",
        (_NVIDIA, "0x003"): "Denver 2",
        (_NVIDIA, "0x004"): "Carmel",
        (_QUALCOMM, "0x001"): "Oryon",
        (_QUALCOMM, "0x800"): "Kryo 2xx Gold",
        (_QUALCOMM, "0x801"): "Kryo 2xx Silver",
        (_QUALCOMM, "0x802"): "Kryo 3xx Gold",
        (_QUALCOMM, "0x803"): "Kryo 3xx Silver",
        (_QUALCOMM, "0x804"): "Kryo 4xx Gold",
        (_QUALCOMM, "0x805"): "Kryo 4xx Silver",
        (_APPLE, "0x022"): "Icestorm",
        (_APPLE, "0x023"): "Firestorm",
        (_APPLE, "0x024"): "Icestorm",
        (_APPLE, "0x025"): "Firestorm",
        (_APPLE, "0x028"): "Icestorm",
        (_APPLE, "0x029"): "Firestorm",
        (_APPLE, "0x032"): "Blizzard",
        (_APPLE, "0x033"): "Avalanche",
        (_APPLE, "0x034"): "Blizzard",
        (_APPLE, "0x035"): "Avalanche",
        (_APPLE, "0x038"): "Blizzard",
        (_APPLE, "0x039"): "Avalanche",
    }
)
# Cores made for little energy. Where a machine has others too, they are slower at the same clock: Amlogic's
# S922X has a Cortex-A53 with a higher clock than its Cortex-A73.
_EFFICIENT = frozenset(
    {"Cortex-A34", "Cortex-A35", "Cortex-A53", "Cortex-A55", "Cortex-A65", "Cortex-A65AE", "Cortex-A510"}
    | {"Cortex-A520", "Kryo 2xx Silver", "Kryo 3xx Silver", "Kryo 4xx Silver", "Icestorm", "Blizzard"}
)


def is_efficient(core: str) -> bool:
    """Return whether a core of this name was made for little energy."""
    return core in _EFFICIENT


def core_names(cpuinfo: str) -> dict[int, str]:
    """Return the name of each Arm core by the number of its CPU; empty on other machines.

    A core that edgefit does not know has its numbers for a name.
    """
    names = {}
    for index, block in enumerate(_blocks(cpuinfo)):
        implementer, part = block.get("CPU implementer"), block.get("CPU part")
        if implementer and part:
            listed = block.get("processor", "")
            name = _CORES.get((implementer, part)) or f"{_UNKNOWN}{implementer}/{part}"
            names[int(listed) if listed.isdecimal() else index] = name
    return names


def is_known(core: str) -> bool:
    """Return whether `core_names` knew more of a core than its numbers."""
    return not core.startswith(_UNKNOWN)


def model_name(cpuinfo: str) -> str | None:
    """Return the name that the kernel gives the CPU, as on x86; None if it gives none.

    The kernels of some boards say only that it is an ARMv8 processor.
    """
    names = (block.get("model name", "") for block in _blocks(cpuinfo))
    return next((name for name in names if name and not name.startswith("ARMv")), None)


def cpu_flags(cpuinfo: str) -> set[str]:
    """Return the instruction set extensions that the CPUs list."""
    listed = (block.get("flags") or block.get("Features") or "" for block in _blocks(cpuinfo))
    return {flag for flags in listed for flag in flags.split()}


def _blocks(cpuinfo: str) -> list[dict[str, str]]:
    """Return the lines of each CPU, key by key; empty lines part them."""
    blocks: list[dict[str, str]] = [{}]
    for line in cpuinfo.splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        is_next = key == "processor" and "processor" in blocks[-1]  # old kernels leave no empty line
        if is_next or not key:
            blocks.append({})
        if key:
            blocks[-1].setdefault(key, value)
    return [block for block in blocks if block]
