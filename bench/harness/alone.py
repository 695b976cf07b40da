"""Lets one command at a time measure on a machine, whoever started it; another one waits, and says for whom.

The lock is the name of an abstract Unix socket. The kernel gives a name to one process, and takes it back
when that ends, however it ends; there is no file that could be left, or that another user could have made.
Who waits sleeps in a read until the holder ends, because asking again and again would disturb it.
Processes with a network of their own, as in most containers, do not see each other.
"""

import errno
import os
import shlex
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath

import psutil

from bench.progress import Progress
from user_files.printable import printable

NO_WAIT_VARIABLE = "EDGEFIT_NO_WAIT"
_NAME = b"\0edgefit-measures"
_PEER = struct.Struct("3i")  # the ucred of socket(7): process, user, group
_WAITING = 128
_PAUSE_S = 0.2
# A holder that does not listen for longer is none of edgefit's, and the user has to know why nothing happens.
_MOST_SILENT_WAITS = 10
_LONGEST_COMMAND = 100


@dataclass(frozen=True)
class _Holder:
    """The command that measures."""

    pid: int
    """Its process; 0 if this one cannot see it."""

    @property
    def in_words(self) -> str:
        """Which command it is, and since when it runs, as far as this user may know."""
        try:
            process = psutil.Process(self.pid)
            since = time.strftime("%H:%M", time.localtime(process.create_time()))
            return f"process {self.pid}, started at {since}: {_command(process.cmdline())}"
        except psutil.AccessDenied:
            return f"process {self.pid}, of another user"
        except (psutil.Error, ValueError):
            return "a process that is not seen from here"


@contextmanager
def alone(progress: Progress) -> Iterator[None]:
    """Measure while no other command measures on this machine: wait for one that does. Ctrl-C ends the wait.

    With $EDGEFIT_NO_WAIT nothing waits, and both disturb each other.
    """
    if os.environ.get(NO_WAIT_VARIABLE):
        yield
        return
    with socket.socket(socket.AF_UNIX) as lock:
        try:
            _take(lock, progress)
        except OSError as error:  # a sandbox may forbid such names
            progress.say_always(
                f"whether another command measures on this machine is not known ({error.strerror or error}); "
                "if one does, each disturbs the other"
            )
        yield


def _take(lock: socket.socket, progress: Progress) -> None:
    """Take the name as soon as no other process has it. Raises OSError if this system gives none."""
    told: _Holder | None = None
    waits = 0
    while not _try_to_take(lock):
        told, waits = _wait(progress, told), waits + 1
        if told is None and waits == _MOST_SILENT_WAITS:
            progress.say_always(_sentence(_Holder(0)))


def _try_to_take(lock: socket.socket) -> bool:
    try:
        lock.bind(_NAME)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    lock.listen(_WAITING)
    return True


def _wait(progress: Progress, told: _Holder | None) -> _Holder | None:
    """Wait until the holder ends; return whom the user was told of."""
    with socket.socket(socket.AF_UNIX) as link:
        try:
            link.connect(_NAME)
            pid, _, _ = _PEER.unpack(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
            if (holder := _Holder(pid)) != told:
                progress.say_always(_sentence(holder))
            link.recv(1)  # it is sent nothing: this returns when the holder ends
        except OSError:  # the holder ended, or has not begun to listen
            time.sleep(_PAUSE_S)
            return told
    return holder


def _sentence(holder: _Holder) -> str:
    return (
        f"another command measures on this machine ({holder.in_words}); this one waits until that has ended, "
        f"because each would disturb the other; Ctrl-C ends the wait, and {NO_WAIT_VARIABLE}=1 avoids it"
    )


def _command(words: list[str]) -> str:
    """Return a command as it was typed: without its interpreter, and not longer than a line."""
    names = [PurePath(word).name for word in words]
    begin = names.index("edgefit") if "edgefit" in names[:2] else 0
    text = printable(" ".join(shlex.join([*names[begin : begin + 1], *words[begin + 1 :]]).split()))
    return text if len(text) <= _LONGEST_COMMAND else f"{text[:_LONGEST_COMMAND]} …"
