"""Times inputs that a session never had, and then the same again: a runtime may remember its answers.

Timed inferences have the same few inputs in turn, so that such a runtime would seem to be fast.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from bench.bundle.signature import Inputs
from bench.harness.timing import Clock, settle, time_inferences
from bench.measurements import RepeatedInputs
from bench.runtimes.protocol import Session

_INPUTS = 16
_SETTLING_INFERENCES = 2


def time_repeats(
    session: Session,
    known: Sequence[Inputs],
    inputs_of: Callable[[int], Inputs],
    at_once: int,
    clock: Clock,
) -> RepeatedInputs | None:
    """Time new inputs, `at_once` of them as in a block, and the same again; None if none can be made.

    They are made of those that `inputs_of` returns by their index. `known`: what runs before.
    """
    first_ns: tuple[int, ...] = ()
    again_ns: tuple[int, ...] = ()
    for begin in range(0, _INPUTS, at_once):
        made = [changed(inputs_of(index), index + 1) for index in range(begin, min(begin + at_once, _INPUTS))]
        new = [inputs for inputs in made if inputs is not None]
        settle(session, known, _SETTLING_INFERENCES)
        first_ns += time_inferences(session, new, len(new), clock)
        again_ns += time_inferences(session, new, len(new), clock)
    return RepeatedInputs(first_ns=first_ns, again_ns=again_ns) if first_ns else None


def changed(inputs: Inputs, places: int) -> Inputs | None:
    """Return inputs with the same values in other places, or None if that makes no other inputs.

    Whole numbers may be indices, whose order a model relies on; those of a byte are pixels.
    """
    moved = [_moved(array, places) for array in inputs]
    is_new = any(not np.array_equal(old, new) for old, new in zip(inputs, moved, strict=True))
    return moved if is_new else None


def _moved(array: npt.NDArray[np.generic], places: int) -> npt.NDArray[np.generic]:
    is_free = array.dtype.kind == "f" or array.dtype == np.uint8
    return np.roll(array.reshape(-1), places).reshape(array.shape) if is_free else array
