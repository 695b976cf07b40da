"""Measures rates of this machine: fixed workloads in a runtime, and copies of memory.

Profiles are the caller's business.
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
from bench.harness import worker_messages
from bench.harness.child_process import ChildDiedError
from bench.harness.worker_process import RuntimeMissingError, WorkerProcess
from bench.run_config import RunConfig
from bench.runtimes.formats import FormatRow
from bench.runtimes.workloads import Workload
from bench.statistics.steadiness import relative_range_of
from bench.system.cpu_time import read_clock_khz

_HANG_LIMIT_S = 120.0
_TRIAL_INFERENCES = 1
_MIN_INFERENCES = 3
# Far larger than any cache of this machine, but at most an eighth of the free memory for all copies.
_COPIED_BYTES = 64 << 20
_FREE_MEMORY_DIVISOR = 8
_NS_PER_S = 1e9


@dataclass(frozen=True)
class Cores:
    """The cores that a rate is measured on."""

    threads: int
    """Number of threads."""
    cpus: tuple[int, ...] | None
    """The CPUs that the threads are pinned to; None: the kernel chooses."""


@dataclass(frozen=True)
class RateSample:
    """A measured rate."""

    value: float
    """The rate: 10^9 multiply-accumulates or bytes per second."""
    relative_range: float
    """The range p10–p90 of the samples ÷ their median."""
    clock_khz: int | None
    """Clock of the slowest CPU just after the measurement, in kHz; None if it is not available."""


class RateMeter:
    """One worker that runs workloads in a runtime; use it as a context manager."""

    def __init__(self, row: FormatRow, variables: str = "") -> None:
        """Start the worker. `variables`: those of the environment that it keeps, as a shell sets them."""
        self._row = row
        self._process = WorkerProcess(provider=row.provider, variables=variables)
        self.runtime = ""

    def __enter__(self) -> "RateMeter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop()

    def load(self, workload: Workload, cores: Cores) -> float:
        """Load a workload in place of the previous one; return the seconds of one inference."""
        request = worker_messages.Load(
            module=self._row.module,
            entry=str(workload.file),
            files=(str(workload.file),),
            config=RunConfig(provider=self._row.provider, threads=cores.threads),
            cpus=cores.cpus,
            inputs=workload.inputs,
            pack=None,
        )
        loaded = self._ask(workload, request)
        assert isinstance(loaded, worker_messages.Loaded)
        self.runtime = loaded.runtime
        return median(self._infer(workload, _TRIAL_INFERENCES, settle=1).ns) / _NS_PER_S

    def run(self, workload: Workload, inference_s: float, seconds: float) -> RateSample:
        """Run the loaded workload for `seconds`; one inference takes `inference_s`."""
        # On an emulated board one inference may take longer than `seconds`: then it runs only once.
        is_slow = inference_s > seconds
        count = 1 if is_slow else max(_MIN_INFERENCES, round(seconds / inference_s))
        answer = self._infer(workload, count, settle=0 if is_slow else 1)
        return RateSample(
            workload.macs / median(answer.ns), relative_range_of(answer.ns), answer.counters.clock_khz
        )

    def _infer(self, workload: Workload, count: int, settle: int) -> worker_messages.Inferred:
        answer = self._ask(workload, worker_messages.Infer(count=count, settle=settle))
        assert isinstance(answer, worker_messages.Inferred)
        return answer

    def _ask(self, workload: Workload, request: worker_messages.Request) -> worker_messages.Answer:
        try:
            return self._process.ask(request, _HANG_LIMIT_S)
        except (ChildDiedError, RuntimeMissingError) as error:
            reason = " ".join(str(error).split())
            raise CalibrationError(f"{workload.name} in {self._row.needs}: {reason}") from None


def copy_memory(cores: Cores, seconds: float) -> RateSample:
    """Copy memory in all threads at once; the rate is in 10^9 bytes per second, each byte counted once."""
    usable_bytes = psutil.virtual_memory().available // _FREE_MEMORY_DIVISOR
    size = min(_COPIED_BYTES, usable_bytes // (2 * cores.threads))
    ready = threading.Barrier(cores.threads)

    def copy(cpu: int | None) -> list[int]:
        if cpu is not None and sys.platform == "linux":
            os.sched_setaffinity(0, (cpu,))  # only this thread
        try:
            source, target = np.ones(size, dtype=np.uint8), np.zeros(size, dtype=np.uint8)
        except MemoryError:
            ready.abort()  # otherwise the other threads would wait for ever
            raise
        ready.wait()
        return _time_copies(source, target, seconds)

    try:
        with ThreadPoolExecutor(cores.threads) as pool:
            samples_ns = list(pool.map(copy, cores.cpus or (None,) * cores.threads))
    except (MemoryError, threading.BrokenBarrierError):
        raise CalibrationError(
            f"{cores.threads} threads could not allocate {size} bytes each to copy; close other programs"
        ) from None
    value = sum(size / median(thread_ns) for thread_ns in samples_ns)
    return RateSample(value, max(map(relative_range_of, samples_ns)), read_clock_khz(cores.cpus))


def _time_copies(source: np.ndarray, target: np.ndarray, seconds: float) -> list[int]:
    """Return the duration of each copy in nanoseconds."""
    samples_ns: list[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(samples_ns) < _MIN_INFERENCES:
        begin = time.perf_counter_ns()
        np.copyto(target, source)
        samples_ns.append(time.perf_counter_ns() - begin)
    return samples_ns
