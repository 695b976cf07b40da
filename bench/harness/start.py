"""The start of a worker's process: it is set up and confined before it imports anything that has threads.

numpy starts threads when it is imported. Confinement does not reach threads that exist already.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

from bench.harness.process_memory import HighWaterMark
from bench.system.parent_death import die_with_parent
from bench.system.sandbox import Call, confine, libc

# The kernel adds this to a process's own score, which is its share of memory in thousandths.
_OOM_SCORE = "500"
_STDOUT_FILE = "stdout"


def main(call: Call = libc) -> None:
    """Serve requests from stdin on the pipe whose number is the last argument.

    The arguments before it are the paths that the process may write besides its own folder, which is its
    working directory. Stdout goes to a file there, so that it cannot be mistaken for an answer. For `call`
    see confine.
    """
    *writable, pipe = sys.argv[1:]
    _prefer_for_oom_kill()
    high_water_mark = HighWaterMark()
    confinement = confine(Path.cwd(), tuple(map(Path, writable)), call)
    die_with_parent()
    stdout = Path(_STDOUT_FILE).absolute()
    with stdout.open("wb") as file:
        os.dup2(file.fileno(), 1)
    from bench.harness.worker import Worker, serve

    with open(int(pipe), "wb") as answers:
        serve(Worker(confinement, high_water_mark), sys.stdin.buffer, answers, stdout)


def _prefer_for_oom_kill() -> None:
    """Have the kernel kill this process rather than its parent if memory runs out; see proc(5)."""
    with suppress(OSError):  # not Linux, or a container that forbids it
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE)


if __name__ == "__main__":
    main()
