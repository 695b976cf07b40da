"""How fast this machine is at one thing: the fixed workloads in a runtime, and copying memory.

It knows workers and the clock, and nothing of profiles.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from types import TracebackType

import numpy as np
import psutil

from bench.child_process import ChildDiedError
from bench.errors import CalibrationError
from bench.harness import messages
from bench.harness.worker_process import RuntimeMissingError, WorkerProcess
from bench.machine.cpu_time import read_clock_khz
from bench.runtimes.table import RuntimeRow
from bench.runtimes.workloads import IMAGE_SIZE, Workload
from bench.statistics.steadiness import spread_of

_HANG_LIMIT_S = 120.0
_TRIAL_INFERENCES = 1
_FEWEST_INFERENCES = 3
# Far larger than any cache here, unless that were more than an eighth of the memory that is free.
_COPIED_BYTES = 64 << 20
_SHARE_OF_MEMORY = 8
_NS_PER_S = 1e9


@dataclass(frozen=True)
class Cores:
    """So many threads, pinned to these CPUs (None: wherever the kernel likes)."""

    threads: int
    cpus: tuple[int, ...] | None


@dataclass(frozen=True)
class Reached:
    """A rate in 10^9 a second, and how far the middle eight tenths of its samples spread ÷ their median.

    `clock_khz`: the slowest clock of its CPUs just afterwards, None where it is not told.
    """

    value: float
    spread: float
    clock_khz: int | None


class RateMeter:
    """One worker that runs workloads in a runtime; use it as a context manager."""

    def __init__(self, row: RuntimeRow) -> None:
        self._row = row
        self._process = WorkerProcess()
        self.runtime = ""

    def __enter__(self) -> "RateMeter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()

    def load(self, workload: Workload, cores: Cores) -> float:
        """Load a workload in place of the last one; return the seconds of one inference."""
        request = messages.Load(
            module=self._row.module,
            entry=str(workload.file),
            files=(str(workload.file),),
            provider=self._row.provider,
            engine=None,
            threads=cores.threads,
            cpus=cores.cpus,
            image_size=IMAGE_SIZE,
            pack=None,
        )
        loaded = self._ask(workload, request)
        assert isinstance(loaded, messages.Loaded)
        self.runtime = loaded.runtime
        return median(self._infer(workload, _TRIAL_INFERENCES, settle=1).ns) / _NS_PER_S

    def run(self, workload: Workload, one_s: float, seconds: float) -> Reached:
        """Run the workload that is loaded for `seconds`, given those of one inference."""
        # Where one inference takes longer than that (an emulated board), it is taken once, for an end.
        slow = one_s > seconds
        count = 1 if slow else max(_FEWEST_INFERENCES, round(seconds / one_s))
        answer = self._infer(workload, count, settle=0 if slow else 1)
        return Reached(workload.macs / median(answer.ns), spread_of(answer.ns), answer.surroundings.clock_khz)

    def _infer(self, workload: Workload, count: int, settle: int) -> messages.Inferred:
        answer = self._ask(workload, messages.Infer(count=count, settle=settle))
        assert isinstance(answer, messages.Inferred)
        return answer

    def _ask(self, workload: Workload, request: messages.Request) -> messages.Answer:
        try:
            return self._process.ask(request, _HANG_LIMIT_S)
        except (ChildDiedError, RuntimeMissingError) as error:
            words = " ".join(str(error).split())
            raise CalibrationError(f"{workload.name} in {self._row.needs}: {words}") from None


def copy_memory(cores: Cores, seconds: float) -> Reached:
    """Copy memory with so many threads at once; the rate is in 10^9 bytes a second, each counted once."""
    free = psutil.virtual_memory().available // _SHARE_OF_MEMORY
    size = min(_COPIED_BYTES, free // (2 * cores.threads))
    found: list[Reached] = []
    ready = threading.Barrier(cores.threads)

    def copy(cpu: int | None) -> None:
        if cpu is not None and sys.platform == "linux":
            os.sched_setaffinity(0, (cpu,))  # of this thread alone
        try:
            source, target = np.ones(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8)
            ready.wait()
        except BaseException:
            ready.abort()  # or the others would wait for ever
            raise
        samples_ns = _copies(source, target, seconds)
        found.append(Reached(size / median(samples_ns), spread_of(samples_ns), read_clock_khz(cores.cpus)))

    cpus: Sequence[int | None] = cores.cpus or (None,) * cores.threads
    threads = [threading.Thread(target=copy, args=(cpu,)) for cpu in cpus]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(found) < cores.threads:
        raise CalibrationError(f"copying {size} bytes with {cores.threads} threads failed: memory is short")
    clocks = [one.clock_khz for one in found if one.clock_khz is not None]
    spread = max(one.spread for one in found)
    return Reached(sum(one.value for one in found), spread, min(clocks, default=None))


def _copies(source: np.ndarray, target: np.ndarray, seconds: float) -> list[int]:
    """Return the nanoseconds of each copy."""
    times: list[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(times) < _FEWEST_INFERENCES:
        begin = time.perf_counter_ns()
        np.copyto(target, source)
        times.append(time.perf_counter_ns() - begin)
    return times
