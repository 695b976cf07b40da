"""How a worker's process begins: it is set up and confined first, and imports what has threads after that.

numpy starts threads when it is imported, and a thread that is there already would not be confined.
"""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

from bench.harness.process_memory import HighWaterMark
from bench.system.sandbox import Call, confine, libc

# Of 1000, which is the highest: what the kernel adds to the share of memory that a process has.
_OOM_SCORE = "500"
_PR_SET_PDEATHSIG = 1  # prctl(2)
_PRINTED = "stdout"


def main(call: Call = libc) -> None:
    """Serve requests from stdin on the pipe whose number is the last argument.

    The arguments before it are what the process may write beside its own folder, in which it is started.
    Stdout becomes a file there, where it cannot be mistaken for an answer. `call`: see confine.
    """
    *writable, pipe = sys.argv[1:]
    _be_ended_first()
    high_water_mark = HighWaterMark()
    confinement = confine(Path.cwd(), tuple(map(Path, writable)), call)
    _die_with_the_parent()
    printed = Path(_PRINTED).absolute()
    with printed.open("wb") as file:
        os.dup2(file.fileno(), 1)
    from bench.harness.worker import Worker, serve

    with open(int(pipe), "wb") as answers:
        serve(Worker(confinement, high_water_mark), sys.stdin.buffer, answers, printed)


def _die_with_the_parent() -> None:
    """Have the kernel end this process when the parent ends, even in the middle of an inference."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _be_ended_first() -> None:
    """Where memory runs out, have the kernel end this process rather than the one that measures (proc(5))."""
    with suppress(OSError):  # no Linux, or a container that keeps it
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)


if __name__ == "__main__":
    main()
