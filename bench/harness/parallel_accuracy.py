"""Accuracy passes of several cases side by side, each in a process with one thread on a core of its own.

Nothing is timed here. The outputs with one thread must be those of the timed options bit by bit: the first
samples are compared, and a case that gives others is left to its caller.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bench.harness.case_worker import IMAGES_PER_REQUEST, CaseEndedError, CaseWorker
from bench.harness.plan import Case, PlannedEvaluation

Values = tuple[tuple[float, ...], ...]

# A request of eight images takes longer, as a rule.
_STEP_S = 0.005
# Another process costs its start. On few cores, a short pass would cost more than it spares.
_STARTS_WORTH = 4.0
_INTERPRETER_S = 0.5


@dataclass(frozen=True)
class AccuracyPass:
    """What is left to do for the accuracy of a case."""

    case: Case
    """The case, with its timed options."""
    evaluation: PlannedEvaluation
    """The samples."""
    first: Values
    """The judged values of the first samples with the timed options."""
    peak_bytes: int
    """The memory that it needs."""

    def on(self, core: int) -> Case:
        """Return the case with one thread, on one core."""
        config = self.case.config.model_copy(update={"threads": 1})
        return replace(self.case, config=config, cpus=(core,))


def is_worth_it(samples: int, sample_s: float, loading_s: float) -> bool:
    """Return whether a pass over so many samples is long enough for a process of its own."""
    return samples * sample_s > _STARTS_WORTH * (_INTERPRETER_S + loading_s)


class _Running:
    """A pass whose process is there. Its end leaves `values` None if the timed options have to decide."""

    def __init__(self, work: AccuracyPass, core: int, hang_limit_s: float) -> None:
        self.work = work
        self.values: Values | None = None
        self.has_ended = False
        self._hang_limit_s = hang_limit_s
        self._worker = CaseWorker(work.on(core), hang_limit_s)
        self._requests = self._ask()
        self._go_on()

    def advance(self) -> None:
        """Take the next step if the latest request is answered, or has had the time for it."""
        if self._worker.has_answered or time.monotonic() - self._asked_at >= self._hang_limit_s:
            self._go_on()

    def stop(self) -> None:
        """End the process."""
        self._worker.stop()

    def _go_on(self) -> None:
        self._asked_at = time.monotonic()
        try:
            self.has_ended = next(self._requests, self) is self
        except CaseEndedError:  # the caller tries again with the timed options, and says how that ends
            self.has_ended = True

    def _ask(self) -> Iterator[None]:
        """Send one request after the other; yield while each is handled."""
        self._worker.begin_loading(pack=None)
        yield
        self._worker.end_loading()
        evaluation = self.work.evaluation
        pack, images, output = str(evaluation.pack), evaluation.images, evaluation.output
        values: list[tuple[float, ...]] = []
        for first in range(0, images, IMAGES_PER_REQUEST):
            self._worker.begin_predicting(pack, first, min(IMAGES_PER_REQUEST, images - first), output)
            yield
            values.extend(self._worker.end_predicting())
            if first == 0 and tuple(values) != self.work.first:
                return
        self.values = tuple(values)


def predictions_of(
    passes: Sequence[AccuracyPass],
    cores: Sequence[int],
    free_bytes: int,
    hang_limit_s: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[tuple[AccuracyPass, Values | None]]:
    """Yield each pass with its values, in the order in which they end.

    The values are None if the case gives others with one thread, or ends early: its timed options decide.
    No more run at once than there are `cores`, and than fit into `free_bytes`; but at least one.
    """
    waiting, running = deque(passes), dict[int, _Running]()
    try:
        while waiting or running:
            for place, core in enumerate(cores):
                if place not in running and waiting and _fits(waiting[0], running.values(), free_bytes):
                    running[place] = _Running(waiting.popleft(), core, hang_limit_s)
            for one in running.values():
                one.advance()
            ended = [place for place, one in running.items() if one.has_ended]
            for place in ended:
                one = running.pop(place)
                one.stop()
                yield one.work, one.values
            if not ended:
                sleep(_STEP_S)
    finally:
        for one in running.values():
            one.stop()


def _fits(work: AccuracyPass, running: Iterable[_Running], free_bytes: int) -> bool:
    used_bytes = sum(one.work.peak_bytes for one in running)
    return not used_bytes or used_bytes + work.peak_bytes <= free_bytes
