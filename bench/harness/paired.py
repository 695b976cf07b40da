"""Two cases side by side: a fresh process of each, on the same cores, that take turns block by block.

Nothing is alive beside the two, so that whatever the machine does it does to both, and a board's memory need
hold no more than these. It knows pairs and rounds; what their ratio means is for decide/ to say.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random

from bench.harness.case_worker import CaseEndedError, CaseWorker
from bench.harness.plan import Case, Plan
from bench.measurements import Block, Failed, ProcessTiming, Skipped
from bench.progress import Progress

_PAUSE_BEFORE_A_TURN_S = 0.005
# A slow inference is a block of its own: the two sides then take turns the sooner, and more often.
_FEWEST_BLOCK_SAMPLES = 1


@dataclass(frozen=True)
class Pair:
    """The same variant on the same provider, of the baseline and of the candidate."""

    baseline: Case
    candidate: Case

    @property
    def key(self) -> str:
        """What tells it from other pairs."""
        return self.candidate.key

    @property
    def is_equal(self) -> bool:
        """Whether both sides are the same files, byte for byte."""
        return self.baseline.digest is not None and self.baseline.digest == self.candidate.digest


@dataclass(frozen=True)
class PairedRepetition:
    """One process of each side, and what they measured in turn."""

    baseline: ProcessTiming
    candidate: ProcessTiming


@dataclass(frozen=True)
class SideEnded:
    """One side of a pair is over: it failed or was skipped."""

    is_candidate: bool
    outcome: Failed | Skipped


@dataclass
class PairedRunner:
    """Times pairs, round by round. `clock` gives seconds, `sleep` waits for them: tests put their own."""

    plan: Plan
    progress: Progress
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def run_repetition(self, pair: Pair, repetition: int, limit_s: float) -> PairedRepetition | SideEnded:
        """Time one round: `blocks` sweeps of the plan's sampling, fewer once `limit_s` seconds are up.

        Both sides' warm-up together ends by then too: where threads wait for a core that another process
        holds, one inference of TorchScript took up to 1.2 s instead of 7 ms.
        """
        random = Random(f"{self.plan.seed}/{pair.key}/{repetition}")
        with ExitStack() as stack:
            sides = [
                _SideProcess(
                    is_candidate, stack.enter_context(CaseWorker(case, self.plan.sampling.hang_limit_s))
                )
                for is_candidate, case in ((False, pair.baseline), (True, pair.candidate))
            ]
            try:
                self._start(sides, repetition, limit_s, random)
                self._run_blocks(sides, limit_s, random)
            except _SideEndedError as error:
                return SideEnded(error.is_candidate, error.outcome)
            baseline, candidate = (one.timing() for one in sides)
            return PairedRepetition(baseline, candidate)

    def _start(
        self, sides: "Sequence[_SideProcess]", repetition: int, limit_s: float, random: Random
    ) -> None:
        """Have both interpreters come up, then load one after the other, in random order."""
        for one in sides:
            one.guard(one.worker.wait_until_ready)
        for one in _shuffled(sides, random):
            one.start(self.plan, repetition, limit_s / len(sides))

    def _run_blocks(self, sides: "Sequence[_SideProcess]", limit_s: float, random: Random) -> None:
        deadline = self.clock() + limit_s
        for pass_index in range(self.plan.sampling.blocks):
            if pass_index == 0 or self.clock() < deadline:
                for place, one in enumerate(_shuffled(sides, random)):
                    self.sleep(_PAUSE_BEFORE_A_TURN_S)
                    one.run_block(self.plan, pass_index, 2 * pass_index + place)
            self.progress.advance()


@dataclass
class _SideProcess:
    """One side's process in a round."""

    is_candidate: bool
    worker: CaseWorker
    started: ProcessTiming | None = None
    blocks: tuple[Block, ...] = ()

    def guard(self, do: Callable[[], None]) -> None:
        """Do something with the worker; if its case is over, say whose it was."""
        try:
            do()
        except CaseEndedError as error:
            raise _SideEndedError(self.is_candidate, error.outcome) from None

    def start(self, plan: Plan, repetition: int, limit_s: float) -> None:
        def start() -> None:
            self.started = self.worker.start(str(plan.pack), 0, repetition, plan.sampling, limit_s)

        self.guard(start)

    def run_block(self, plan: Plan, pass_index: int, position: int) -> None:
        def run_block() -> None:
            assert self.started is not None
            answer = self.worker.run_block(self.started, plan.sampling, _FEWEST_BLOCK_SAMPLES)
            block = Block(pass_index=pass_index, position=position, ns=answer.ns, counters=answer.counters)
            self.blocks = (*self.blocks, block)

        self.guard(run_block)

    def timing(self) -> ProcessTiming:
        assert self.started is not None
        return self.started.model_copy(update={"blocks": self.blocks})


class _SideEndedError(Exception):
    """The case of one side is over early."""

    def __init__(self, is_candidate: bool, outcome: Failed | Skipped) -> None:
        super().__init__(outcome)
        self.is_candidate = is_candidate
        self.outcome = outcome


def _shuffled(sides: "Sequence[_SideProcess]", random: Random) -> "list[_SideProcess]":
    order = list(sides)
    random.shuffle(order)
    return order
