"""Paired runs: a fresh process of each of two sides, on the same cores, whose blocks alternate.

No other case is in memory, so that noise of the machine affects both sides alike, and a board needs memory
for two processes only. What a ratio of the two means is the caller's business.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from bench.harness.case_worker import CaseEndedError, CaseWorker
from bench.harness.plan import PAUSE_BEFORE_BLOCK_S, Case, Plan
from bench.harness.timed_outputs import ExpectedOutputs
from bench.measurements import Block, Failed, ProcessTiming, Skipped
from bench.record import Record

# One slow inference is a whole block. The two sides then alternate sooner and more often.
_MIN_BLOCK_SAMPLES = 1


@dataclass(frozen=True)
class Pair:
    """The same variant on the same provider, of the baseline and of the candidate."""

    baseline: Case
    """The baseline's case."""
    candidate: Case
    """The candidate's case."""
    baseline_expected: ExpectedOutputs | None = None
    """What the baseline's timed inferences have to give; None before it was examined."""
    candidate_expected: ExpectedOutputs | None = None
    """What the candidate's have to give."""

    @property
    def id(self) -> str:
        """The pair's id, which is the case id of both sides."""
        return self.candidate.id

    @property
    def is_equal(self) -> bool:
        """Whether both sides have the same files, byte for byte."""
        return self.baseline.digest is not None and self.baseline.digest == self.candidate.digest


class PairedRepetition(Record):
    """One repetition of a pair: a fresh process of each side, whose blocks alternated."""

    case: str
    """The case id of both sides."""
    baseline: ProcessTiming
    """Timings of the baseline's process."""
    candidate: ProcessTiming
    """Timings of the candidate's process."""


@dataclass(frozen=True)
class SideEnded:
    """One side of a pair ended early."""

    is_candidate: bool
    """Whether it is the candidate's side."""
    outcome: Failed | Skipped
    """How the side ended."""


@dataclass
class PairedRunner:
    """Times pairs, one repetition at a time."""

    plan: Plan
    """The sampling, the seed and the evaluation pack."""
    sleep: Callable[[float], None] = time.sleep
    """Waits for a number of seconds; tests replace it."""
    clock: Callable[[], float] = time.monotonic
    """Returns the time in seconds; tests replace it."""

    def run_repetition(self, pair: Pair, repetition: int, limit_s: float) -> PairedRepetition | SideEnded:
        """Time one repetition: the passes of the plan's sampling, but no further pass after `limit_s`.

        The warm-ups of both sides together are limited to `limit_s` too. Where threads wait for a core that
        another process uses, one inference of TorchScript took up to 1.2 s instead of 7 ms.
        """
        random = Random(f"{self.plan.seed}/{pair.id}/{repetition}")
        with ExitStack() as stack:
            hang_limit_s = self.plan.sampling.hang_limit_s
            sides = [
                _SideProcess(
                    is_candidate, stack.enter_context(CaseWorker(case, hang_limit_s, expected=expected))
                )
                for is_candidate, case, expected in (
                    (False, pair.baseline, pair.baseline_expected),
                    (True, pair.candidate, pair.candidate_expected),
                )
            ]
            try:
                self._start(sides, repetition, limit_s, random)
                self._run_blocks(sides, limit_s, random)
            except _SideEndedError as error:
                return SideEnded(error.is_candidate, error.outcome)
            baseline, candidate = (side.timing() for side in sides)
            return PairedRepetition(case=pair.id, baseline=baseline, candidate=candidate)

    def _start(
        self, sides: "Sequence[_SideProcess]", repetition: int, limit_s: float, random: Random
    ) -> None:
        """Have both sides import their runtime at the same time, then start one after the other.

        Imports are not compared, and take most of a short repetition. The order of the starts is random.
        """
        for side in sides:
            side.guard(side.worker.begin_preparing)
        for side in sides:
            side.guard(side.worker.end_preparing)
        for side in _shuffled(sides, random):
            side.start(self.plan, repetition, limit_s / len(sides))

    def _run_blocks(self, sides: "Sequence[_SideProcess]", limit_s: float, random: Random) -> None:
        deadline = self.clock() + limit_s
        for pass_index in range(self.plan.sampling.blocks):
            if pass_index == 0 or self.clock() < deadline:
                for index, side in enumerate(_shuffled(sides, random)):
                    self.sleep(PAUSE_BEFORE_BLOCK_S)
                    side.run_block(self.plan, pass_index, 2 * pass_index + index)


@dataclass
class _SideProcess:
    """One side's process in a repetition."""

    is_candidate: bool
    worker: CaseWorker
    started: ProcessTiming | None = None
    blocks: tuple[Block, ...] = ()

    def guard(self, action: Callable[[], None]) -> None:
        """Call `action`. If the case ends early, raise an error that names this side."""
        try:
            action()
        except CaseEndedError as error:
            raise _SideEndedError(self.is_candidate, error.outcome) from None

    def start(self, plan: Plan, repetition: int, limit_s: float) -> None:
        def start_worker() -> None:
            self.started = self.worker.start(
                plan.pack_of(self.worker.case), 0, repetition, plan.sampling, limit_s
            )

        self.guard(start_worker)

    def run_block(self, plan: Plan, pass_index: int, position: int) -> None:
        def measure_block() -> None:
            assert self.started is not None
            block = self.worker.run_block(
                self.started, plan.sampling, pass_index, position, _MIN_BLOCK_SAMPLES
            )
            self.blocks = (*self.blocks, block)

        self.guard(measure_block)

    def timing(self) -> ProcessTiming:
        assert self.started is not None
        return self.started.model_copy(update={"blocks": self.blocks})


class _SideEndedError(Exception):
    """The case of one side ended early."""

    def __init__(self, is_candidate: bool, outcome: Failed | Skipped) -> None:
        super().__init__(outcome)
        self.is_candidate = is_candidate
        self.outcome = outcome


def _shuffled(sides: "Sequence[_SideProcess]", random: Random) -> "list[_SideProcess]":
    order = list(sides)
    random.shuffle(order)
    return order
