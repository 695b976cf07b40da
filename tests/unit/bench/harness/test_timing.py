"""The timed loop, with a clock that ticks by itself and a session that counts."""

import itertools

import numpy as np
import pytest

from bench.bundle.signature import Inputs, Outputs
from bench.harness import timing
from bench.harness.timing import (
    BlockMonitor,
    settle,
    time_and_keep,
    time_inferences,
    wait_until_idle,
    warm_up,
)
from bench.measurements import Executed
from bench.system.cpu_time import CpuTime


class CountingSession:
    def __init__(self) -> None:
        self.seen: list[float] = []

    def infer(self, inputs: Inputs) -> Outputs:
        self.seen.append(float(inputs[0].flat[0]))
        return inputs

    def device_bytes(self) -> int | None:
        return None

    def executed(self, inputs: Inputs) -> Executed:
        raise NotImplementedError

    def close(self) -> None:
        pass


def test_each_inference_costs_two_clock_reads_and_inputs_alternate() -> None:
    session = CountingSession()
    ticks = itertools.count(step=7)
    batches = [[np.full((1, 3, 1, 1), value, dtype=np.float32)] for value in (0.0, 1.0)]

    samples_ns = time_inferences(session, batches, 5, lambda: next(ticks))

    assert samples_ns == (7, 7, 7, 7, 7)
    assert session.seen == [0, 1, 0, 1, 0]
    assert next(ticks) == 70


def test_keeping_the_outputs_of_one_inference_changes_neither_order_nor_clock_reads() -> None:
    batches = [[np.full((1, 3, 1, 1), value, dtype=np.float32)] for value in (0.0, 1.0, 2.0)]
    for keep_at in range(5):
        session, ticks = CountingSession(), itertools.count(step=7)
        held = settle(session, batches, 2)
        assert held.outputs is batches[1]

        samples_ns = time_and_keep(session, batches, 5, ticks.__next__, keep_at, held)

        assert samples_ns == (7, 7, 7, 7, 7)
        assert session.seen == [0, 1, 0, 1, 2, 0, 1]
        assert next(ticks) == 70
        assert held.outputs is batches[keep_at % 3]


BATCHES = [[np.zeros((1, 3, 1, 1), dtype=np.float32)]]


def test_warm_up_ends_when_the_level_is_steady() -> None:
    falling = [900, 500, 300, 200, 150] + [120] * 5 + [100] * 200
    times = iter(falling)
    state = {"now": 0, "inside": False}

    def clock() -> int:
        return state["now"]

    class Slowing(CountingSession):
        def infer(self, inputs: Inputs) -> Outputs:
            state["now"] += next(times)
            return super().infer(inputs)

    samples_ns, steady = warm_up(Slowing(), BATCHES, max_inferences=100, limit_ns=10**9, clock=clock)

    assert steady
    assert samples_ns == tuple(falling[:25])


def test_warm_up_ends_at_its_limits_and_says_that_it_is_not_steady() -> None:
    ticks = itertools.count()
    growing = itertools.accumulate(itertools.count(1), lambda total, step: total + step * step)

    by_count, steady = warm_up(CountingSession(), BATCHES, 12, 10**9, lambda: next(growing))
    by_time, steady_by_time = warm_up(CountingSession(), BATCHES, 100, 9, lambda: next(ticks))

    assert len(by_count) == 12
    assert not steady
    assert len(by_time) == 3
    assert not steady_by_time


def test_the_end_of_a_block_waits_until_threads_spin_no_more() -> None:
    used = iter([0, 4_000_000, 4_000_000, 8_000_000, 8_000_000, 8_000_000])
    slept: list[float] = []

    wait_until_idle(sleep=slept.append, cpu_ns=lambda: next(used))

    assert len(slept) == 3


def test_threads_that_never_rest_are_not_waited_for_for_ever() -> None:
    spinning = itertools.count(step=4_000_000)
    slept: list[float] = []

    wait_until_idle(sleep=slept.append, cpu_ns=lambda: next(spinning))

    assert sum(slept) < 0.3


def test_what_other_programs_use_is_counted_in_a_window_that_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = {"ns": 0}

    def read_slowly(_cpus: object) -> CpuTime:
        now["ns"] += 10_000_000  # another program has the CPU while the counters are read
        return CpuTime(busy_ns=now["ns"], steal_ns=0, whole_ns=now["ns"])

    monkeypatch.setattr(timing, "read_cpu_time", read_slowly)
    monkeypatch.setattr("time.perf_counter_ns", lambda: now["ns"])
    monitor = BlockMonitor((0,))
    now["ns"] += 1_000_000
    counters = monitor.stop()

    assert (counters.elapsed_ns, counters.busy_ns, counters.counted_ns) == (1_000_000, 11_000_000, 21_000_000)
