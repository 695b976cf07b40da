"""Ties a process to the one that started it. It runs before all else, and imports what every Python has."""

import ctypes
import os
import signal
import sys

PARENT = "_EDGEFIT_PARENT"
"""The variable of the environment with the number of the process that starts another."""

_PR_SET_PDEATHSIG = 1  # prctl(2)


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that PARENT names ends, whatever this one is doing then.

    To the kernel, the end of the thread that started it counts as well, so no thread may leave it to another
    one. A change of its rights undoes this: a process that is confined asks for it again.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    parent = os.environ.get(PARENT)
    if parent is not None and os.getppid() != int(parent):  # it has ended already
        os.kill(os.getpid(), signal.SIGKILL)
