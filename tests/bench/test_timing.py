"""The timed loop, with a clock that ticks by itself and a session that counts."""

import itertools

import numpy as np

from bench.harness.timing import time_inferences
from bench.statistics.latency import summarise_ns


class CountingSession:
    def __init__(self) -> None:
        self.seen: list[float] = []

    def infer(self, batch: np.ndarray) -> np.ndarray:
        self.seen.append(float(batch.flat[0]))
        return batch

    def close(self) -> None:
        pass


def test_each_inference_costs_two_clock_reads_and_inputs_take_turns() -> None:
    session = CountingSession()
    ticks = itertools.count(step=7)
    batches = [np.full((1, 3, 1, 1), value, dtype=np.float32) for value in (0.0, 1.0)]

    samples_ns = time_inferences(session, batches, 5, lambda: next(ticks))

    assert samples_ns == (7, 7, 7, 7, 7)
    assert session.seen == [0, 1, 0, 1, 0]
    assert next(ticks) == 70


def test_percentiles_are_milliseconds() -> None:
    summary = summarise_ns([ms * 1_000_000 for ms in range(1, 101)])

    assert (summary.min, summary.max, summary.mean) == (1.0, 100.0, 50.5)
    assert summary.p50 == 50.5
    assert summary.p99 == 99.01
