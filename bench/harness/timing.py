"""The timed loop. It knows a session and a clock, and nothing of formats, files or devices."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bench.runtimes.protocol import Session

Clock = Callable[[], int]


def time_inferences(
    session: Session, batches: Sequence[npt.NDArray[np.float32]], count: int, clock: Clock
) -> tuple[int, ...]:
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
