"""Watches what goes on around a block in this process's own CPUs, and waits for its threads to rest."""

import resource
import time
from collections.abc import Callable, Sequence

from bench.measurements import SystemCounters
from bench.system.cpu_time import read_clock_khz, read_cpu_time
from bench.system.snapshot import usable_cpus

_REST_STEP_S = 0.004
_RESTING_SHARE = 0.1
# onnxruntime's pool was seen to spin for 56 ms of CPU time after an inference; nobody is waited for longer.
_REST_LIMIT_S = 0.25


class BlockMonitor:
    """Begins to watch when it is made; `stop` says what went on since."""

    def __init__(self, cpus: Sequence[int] | None) -> None:
        self._cpus = cpus
        self._time = read_cpu_time(cpus)
        self._usage = resource.getrusage(resource.RUSAGE_SELF)
        self._begin = time.perf_counter_ns()

    def stop(self) -> SystemCounters:
        """Return what went on since the watch was made."""
        elapsed = time.perf_counter_ns() - self._begin
        usage = resource.getrusage(resource.RUSAGE_SELF)
        now, before = read_cpu_time(self._cpus), self._time
        known = now is not None and before is not None
        return SystemCounters(
            elapsed_ns=elapsed,
            cpus=len(usable_cpus() if self._cpus is None else self._cpus),
            cpu_ns=round((_cpu_s(usage) - _cpu_s(self._usage)) * 1e9),
            busy_ns=now.busy_ns - before.busy_ns if known and now and before else None,
            steal_ns=now.steal_ns - before.steal_ns if known and now and before else None,
            preemptions=usage.ru_nivcsw - self._usage.ru_nivcsw,
            clock_khz=read_clock_khz(self._cpus),
        )


def rest(
    sleep: Callable[[float], None] = time.sleep, cpu_ns: Callable[[], int] = time.process_time_ns
) -> None:
    """Wait until this process's threads use the CPU no more, so that the next case does not pay for them."""
    waited = 0.0
    while waited < _REST_LIMIT_S:
        before = cpu_ns()
        sleep(_REST_STEP_S)
        waited += _REST_STEP_S
        if cpu_ns() - before < _RESTING_SHARE * _REST_STEP_S * 1e9:
            return


def _cpu_s(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime
