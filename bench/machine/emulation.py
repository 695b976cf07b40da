"""Whether this machine is emulated: another architecture's instructions, translated one by one.

A virtual machine on its own architecture is none: its instructions run as they are.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import psutil

# Set by whoever makes an emulated board, for those who want to know.
_TOLD_BY = "EDGEFIT_EMULATED"
_EMULATORS = "qemu-"
_ARM, _X86_KEY = ("aarch64", "armv7l"), "vendor_id"
_WORDS_IN_A_MODEL = ("emulated", "qemu")


def emulator_of(
    board: str | None,
    environment: Mapping[str, str] = os.environ,
    commands: Sequence[str] | None = None,
    cpuinfo: str = "",
) -> str | None:
    """Return by what this machine is known to be emulated; None if nothing tells so.

    `board`: the device tree's model; `commands`: the programs of the processes above this one, read here if
    None. An emulated process sees its own command line as if it were native, and its parents' as they are.
    `cpuinfo`: the text of /proc/cpuinfo, which may be that of the machine below.
    """
    if told := environment.get(_TOLD_BY):
        return f"{_TOLD_BY} says {told}"
    if board is not None and any(word in board.lower() for word in _WORDS_IN_A_MODEL):
        return f"the board model says so: {board}"
    if platform.machine() in _ARM and _X86_KEY in cpuinfo:
        return f"this is {platform.machine()} on a CPU that /proc/cpuinfo calls an x86 one"
    programs = _commands_above() if commands is None else commands
    found = next((one for one in programs if PurePath(one).name.startswith(_EMULATORS)), None)
    return None if found is None else f"it runs under {PurePath(found).name}"


def _commands_above() -> list[str]:
    found = []
    for process in psutil.Process().parents():
        try:
            found += process.cmdline()[:1]
        except psutil.Error:  # it ended meanwhile, or is not ours to look at
            continue
    return found
