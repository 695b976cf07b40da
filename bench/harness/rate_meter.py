"""How fast this machine is at one thing: the fixed workloads in a runtime, and copying memory.

It knows workers and the clock, and nothing of profiles.
"""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from types import TracebackType

import numpy as np
import psutil

from bench.errors import CalibrationError
from bench.harness import messages
from bench.harness.child_process import ChildDiedError
from bench.harness.worker_process import RuntimeMissingError, WorkerProcess
from bench.runtimes.table import RuntimeRow
from bench.runtimes.workloads import IMAGE_SIZE, Workload
from bench.statistics.steadiness import relative_range_of
from bench.system.cpu_time import read_clock_khz

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
class RateSample:
    """A rate in 10^9 a second, and how far the middle eight tenths of its samples spread ÷ their median.

    `clock_khz`: the slowest clock of its CPUs just afterwards, None where it is not told.
    """

    value: float
    relative_range: float
    clock_khz: int | None


class RateMeter:
    """One worker that runs workloads in a runtime; use it as a context manager."""

    def __init__(self, row: RuntimeRow) -> None:
        self._row = row
        self._process = WorkerProcess(provider=row.provider)
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

    def run(self, workload: Workload, one_s: float, seconds: float) -> RateSample:
        """Run the workload that is loaded for `seconds`, given those of one inference."""
        # Where one inference takes longer than that (an emulated board), it is taken once, for an end.
        slow = one_s > seconds
        count = 1 if slow else max(_FEWEST_INFERENCES, round(seconds / one_s))
        answer = self._infer(workload, count, settle=0 if slow else 1)
        return RateSample(
            workload.macs / median(answer.ns), relative_range_of(answer.ns), answer.counters.clock_khz
        )

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


def copy_memory(cores: Cores, seconds: float) -> RateSample:
    """Copy memory with so many threads at once; the rate is in 10^9 bytes a second, each counted once."""
    free = psutil.virtual_memory().available // _SHARE_OF_MEMORY
    size = min(_COPIED_BYTES, free // (2 * cores.threads))
    ready = threading.Barrier(cores.threads)

    def copy(cpu: int | None) -> list[int]:
        if cpu is not None and sys.platform == "linux":
            os.sched_setaffinity(0, (cpu,))  # of this thread alone
        try:
            source, target = np.ones(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8)
        except MemoryError:
            ready.abort()  # or the others would wait for ever
            raise
        ready.wait()
        return _copies(source, target, seconds)

    try:
        with ThreadPoolExecutor(cores.threads) as pool:
            samples_ns = list(pool.map(copy, cores.cpus or (None,) * cores.threads))
    except (MemoryError, threading.BrokenBarrierError):
        raise CalibrationError(f"copying {size} bytes on {cores.threads} cores: memory is short") from None
    value = sum(size / median(one) for one in samples_ns)
    return RateSample(value, max(map(relative_range_of, samples_ns)), read_clock_khz(cores.cpus))


def _copies(source: np.ndarray, target: np.ndarray, seconds: float) -> list[int]:
    """Return the nanoseconds of each copy."""
    times: list[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(times) < _FEWEST_INFERENCES:
        begin = time.perf_counter_ns()
        np.copyto(target, source)
        times.append(time.perf_counter_ns() - begin)
    return times
