"""Whether this machine is emulated: another architecture's instructions, translated one by one.

A virtual machine on its own architecture is none: its instructions run as they are.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import PurePath

import psutil

# Set by whoever makes an emulated board, for those who want to know.
_TOLD_BY = "EDGEFIT_EMULATED"
_EMULATORS = "qemu-"
_WORDS_IN_A_MODEL = ("emulated", "qemu")


def emulator_of(
    board: str | None, environment: Mapping[str, str] = os.environ, commands: Sequence[str] | None = None
) -> str | None:
    """Return by what this machine is known to be emulated; None if nothing tells so.

    `board`: the device tree's model; `commands`: the programs of the processes above this one, read here if
    None. An emulated process sees its own command line as if it were native, and its parents' as they are.
    """
    if told := environment.get(_TOLD_BY):
        return f"{_TOLD_BY} says {told}"
    if board is not None and any(word in board.lower() for word in _WORDS_IN_A_MODEL):
        return f"the board model says so: {board}"
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
