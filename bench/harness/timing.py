"""The timed loop. It knows a session and a clock, and nothing of formats, files or devices."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bench.runtimes.protocol import Session
from bench.statistics.steadiness import WINDOW, is_steady

Clock = Callable[[], int]
Batches = Sequence[npt.NDArray[np.float32]]


def time_inferences(session: Session, batches: Batches, count: int, clock: Clock) -> tuple[int, ...]:
    """Run `count` inferences over the batches in turn; return the nanoseconds of each by `clock`.

    Nothing stands between the two clock reads but `infer`.
    """
    samples_ns = []
    for index in range(count):
        batch = batches[index % len(batches)]
        begin = clock()
        session.infer(batch)
        end = clock()
        samples_ns.append(end - begin)
    return tuple(samples_ns)


def warm_up(
    session: Session, batches: Batches, most: int, limit_ns: int, clock: Clock
) -> tuple[tuple[int, ...], bool]:
    """Run inferences until their level is steady; return the nanoseconds of each, and whether it is.

    It is not if `most` inferences or `limit_ns` came first. There is one inference at least.
    """
    samples_ns: list[int] = []
    end = clock() + limit_ns
    while not (steady := _is_steady(samples_ns)) and len(samples_ns) < most:
        if samples_ns and clock() >= end:
            break
        batch = batches[len(samples_ns) % len(batches)]
        samples_ns += time_inferences(session, [batch], 1, clock)
    return tuple(samples_ns), steady


def _is_steady(samples_ns: Sequence[int]) -> bool:
    """Look at whole windows alone: to look after each inference would find a steady level by chance."""
    return len(samples_ns) % WINDOW == 0 and is_steady(samples_ns)
