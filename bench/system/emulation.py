"""Whether a machine is emulated: another architecture's instructions, translated one by one. Pure.

A virtual machine on its own architecture is none: its instructions run as they are.
"""

from collections.abc import Iterable
from pathlib import PurePath

from bench.system.snapshot import TELLS_EMULATION

_EMULATORS = "qemu-"
_ARM, _X86_KEY = ("aarch64", "armv7l"), "vendor_id"
_WORDS_IN_A_MODEL = ("emulated", "qemu")


def emulator_of(
    board: str | None,
    told: str | None = None,
    programs_above: Iterable[str] = (),
    architecture: str = "",
    cpuinfo: str = "",
) -> str | None:
    """Return by what a machine is known to be emulated; None if nothing tells so.

    `board`: the device tree's model; `cpuinfo`: the text of /proc/cpuinfo, which may be that of the machine
    below; the others as in seen.Seen.
    """
    if told:
        return f"{TELLS_EMULATION} says {told}"
    if board is not None and any(word in board.lower() for word in _WORDS_IN_A_MODEL):
        return f"the board model says so: {board}"
    if architecture in _ARM and _X86_KEY in cpuinfo:
        return f"this is {architecture} on a CPU that /proc/cpuinfo calls an x86 one"
    found = next((one for one in programs_above if PurePath(one).name.startswith(_EMULATORS)), None)
    return None if found is None else f"it runs under {PurePath(found).name}"
