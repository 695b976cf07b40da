"""The timed loop of a worker, the system counters around a block, and the wait for idle threads.

This module takes a session and a clock. Formats, files and devices are the caller's business.
"""

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.bundle.signature import Inputs, Outputs
from bench.measurements import SystemCounters
from bench.runtimes.protocol import Session
from bench.statistics.steadiness import WINDOW, is_steady
from bench.system.cpu_time import CpuTime, read_clock_khz, read_cpu_time
from bench.system.snapshot import usable_cpus

Clock = Callable[[], int]

_IDLE_STEP_S = 0.004
_IDLE_SHARE = 0.1
# The thread pool of onnxruntime spun for up to 56 ms of CPU time after an inference. The limit leaves room.
_IDLE_LIMIT_S = 0.25


def time_inferences(
    session: Session, batches: Sequence[Inputs], count: int, clock: Clock, first: int = 0
) -> tuple[int, ...]:
    """Run `count` inferences and return the duration of each in nanoseconds by `clock`.

    Each inference takes the next of `batches`, from number `first`; after the last comes the first. Only
    `infer` runs between the two clock reads.
    """
    samples_ns = []
    for index in range(first, first + count):
        batch = batches[index % len(batches)]
        begin = clock()
        session.infer(batch)
        end = clock()
        samples_ns.append(end - begin)
    return tuple(samples_ns)


@dataclass
class HeldOutputs:
    """The outputs of one inference, which stay in memory."""

    outputs: Outputs | None = None
    """Its outputs; None before there are any."""


def settle(session: Session, batches: Sequence[Inputs], count: int) -> HeldOutputs:
    """Run `count` inferences, which are not timed, and return the outputs of the last one."""
    held = HeldOutputs()
    for index in range(count):
        held.outputs = session.infer(batches[index % len(batches)])
    return held


def time_and_keep(
    session: Session, batches: Sequence[Inputs], count: int, clock: Clock, keep_at: int, held: HeldOutputs
) -> tuple[int, ...]:
    """Run and time `count` inferences, as `time_inferences` does, and hold the outputs of number `keep_at`.

    Nothing is done with them here. `held` has those of an earlier inference until then, so that one set of
    outputs is in memory at any time, and no inference has to find new memory for its own.
    """
    before = time_inferences(session, batches, keep_at, clock)
    batch = batches[keep_at % len(batches)]
    begin = clock()
    held.outputs = session.infer(batch)  # frees the earlier ones, as other inferences free their own
    end = clock()
    after = time_inferences(session, batches, count - keep_at - 1, clock, first=keep_at + 1)
    return (*before, end - begin, *after)


def warm_up(
    session: Session, batches: Sequence[Inputs], max_inferences: int, limit_ns: int, clock: Clock
) -> tuple[tuple[int, ...], bool]:
    """Run inferences until latency is steady; return the duration of each in nanoseconds, and whether it is.

    Latency counts as not steady if `max_inferences` or `limit_ns` is reached first. At least one inference
    runs.
    """
    samples_ns: list[int] = []
    end = clock() + limit_ns
    while not (steady := _is_steady(samples_ns)) and len(samples_ns) < max_inferences:
        if samples_ns and clock() >= end:
            break
        batch = batches[len(samples_ns) % len(batches)]
        samples_ns += time_inferences(session, [batch], 1, clock)
    return tuple(samples_ns), steady


def _is_steady(samples_ns: Sequence[int]) -> bool:
    """Test whole windows only: a test after each inference would find steady latency by chance."""
    return len(samples_ns) % WINDOW == 0 and is_steady(samples_ns)


class BlockMonitor:
    """Counts CPU time, preemptions and clock around a block. Counting starts when it is created."""

    def __init__(self, cpus: Sequence[int] | None) -> None:
        self._cpus = cpus
        self._counted_from = time.perf_counter_ns()
        self._time = read_cpu_time(cpus)
        self._usage = resource.getrusage(resource.RUSAGE_SELF)
        self._begin = time.perf_counter_ns()

    def stop(self) -> SystemCounters:
        """Return the counters since the monitor was created."""
        elapsed = time.perf_counter_ns() - self._begin
        usage = resource.getrusage(resource.RUSAGE_SELF)
        busy_ns, steal_ns = _busy_and_steal_ns(self._time, read_cpu_time(self._cpus))
        counted_ns = time.perf_counter_ns() - self._counted_from
        return SystemCounters(
            elapsed_ns=elapsed,
            cpus=len(usable_cpus() if self._cpus is None else self._cpus),
            cpu_ns=round((_cpu_s(usage) - _cpu_s(self._usage)) * 1e9),
            busy_ns=busy_ns,
            steal_ns=steal_ns,
            preemptions=usage.ru_nivcsw - self._usage.ru_nivcsw,
            clock_khz=read_clock_khz(self._cpus),
            counted_ns=counted_ns,
        )


def _busy_and_steal_ns(before: CpuTime | None, after: CpuTime | None) -> tuple[int | None, int | None]:
    if before is None or after is None:
        return None, None
    return after.busy_ns - before.busy_ns, after.steal_ns - before.steal_ns


def _cpu_s(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def wait_until_idle(
    sleep: Callable[[float], None] = time.sleep, cpu_ns: Callable[[], int] = time.process_time_ns
) -> None:
    """Wait until this process's threads stop using the CPU, so that they do not slow the next case down."""
    waited_s = 0.0
    while waited_s < _IDLE_LIMIT_S:
        before_ns = cpu_ns()
        sleep(_IDLE_STEP_S)
        waited_s += _IDLE_STEP_S
        if cpu_ns() - before_ns < _IDLE_SHARE * _IDLE_STEP_S * 1e9:
            return
