"""Whether a machine is emulated: the CPU below has another architecture. Pure.

A virtual machine with the same architecture is not emulated, because its instructions run directly.
"""

from collections.abc import Iterable
from pathlib import PurePath

from bench.system.snapshot import EMULATION_VARIABLE

_EMULATORS = "qemu-"
_ARM, _X86_KEY = ("aarch64", "armv7l"), "vendor_id"
_WORDS_IN_A_MODEL = ("emulated", "qemu")


def emulator_of(
    board: str | None,
    declared: str | None = None,
    programs_above: Iterable[str] = (),
    architecture: str = "",
    cpuinfo: str = "",
) -> str | None:
    """Return the evidence that a machine is emulated; None if there is none.

    `board`: the device tree's model; `cpuinfo`: the text of /proc/cpuinfo, which may describe the machine
    below; `declared`: see SystemSnapshot.declared_emulated.
    """
    if declared:
        return f"{EMULATION_VARIABLE} says {declared}"
    if board is not None and any(word in board.lower() for word in _WORDS_IN_A_MODEL):
        return f"the board model is {board}"
    if architecture in _ARM and _X86_KEY in cpuinfo:
        return f"this is {architecture}, but /proc/cpuinfo describes an x86 CPU"
    names = (PurePath(program).name for program in programs_above)
    emulator = next((name for name in names if name.startswith(_EMULATORS)), None)
    return None if emulator is None else f"it runs under {emulator}"
