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
class Round:
    """One process of each side, and what they measured in turn."""

    baseline: ProcessTiming
    candidate: ProcessTiming


@dataclass(frozen=True)
class SideEnded:
    """One side of a pair is over: it failed or was skipped."""

    is_candidate: bool
    outcome: Failed | Skipped


@dataclass
class Duels:
    """Times pairs, round by round. `clock` gives seconds, `sleep` waits for them: tests put their own."""

    plan: Plan
    progress: Progress
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def fight(self, pair: Pair, round_: int, limit_s: float) -> Round | SideEnded:
        """Time one round: `blocks` sweeps of the plan's sampling, fewer once `limit_s` seconds are up.

        Both sides' warm-up together ends by then too: where threads wait for a core that another process
        holds, one inference of TorchScript took up to 1.2 s instead of 7 ms.
        """
        random = Random(f"{self.plan.seed}/{pair.key}/{round_}")
        with ExitStack() as stack:
            fighters = [
                _Fighter(is_candidate, stack.enter_context(CaseWorker(case, self.plan.sampling.hang_limit_s)))
                for is_candidate, case in ((False, pair.baseline), (True, pair.candidate))
            ]
            try:
                self._start(fighters, round_, limit_s, random)
                self._take_turns(fighters, limit_s, random)
            except _SideEndedError as error:
                return SideEnded(error.is_candidate, error.outcome)
            baseline, candidate = (one.timing() for one in fighters)
            return Round(baseline, candidate)

    def _start(self, fighters: "Sequence[_Fighter]", round_: int, limit_s: float, random: Random) -> None:
        """Have both interpreters come up, then load one after the other, in random order."""
        for one in fighters:
            one.guard(one.worker.greet)
        for one in _shuffled(fighters, random):
            one.start(self.plan, round_, limit_s / len(fighters))

    def _take_turns(self, fighters: "Sequence[_Fighter]", limit_s: float, random: Random) -> None:
        deadline = self.clock() + limit_s
        for sweep in range(self.plan.sampling.blocks):
            if sweep == 0 or self.clock() < deadline:
                for place, one in enumerate(_shuffled(fighters, random)):
                    self.sleep(_PAUSE_BEFORE_A_TURN_S)
                    one.take_turn(self.plan, sweep, 2 * sweep + place)
            self.progress.advance()


@dataclass
class _Fighter:
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

    def start(self, plan: Plan, round_: int, limit_s: float) -> None:
        def start() -> None:
            self.started = self.worker.start(str(plan.pack), 0, round_, plan.sampling, limit_s)

        self.guard(start)

    def take_turn(self, plan: Plan, sweep: int, turn: int) -> None:
        def take_turn() -> None:
            assert self.started is not None
            answer = self.worker.take_turn(self.started, plan.sampling, _FEWEST_BLOCK_SAMPLES)
            block = Block(sweep=sweep, turn=turn, ns=answer.ns, surroundings=answer.surroundings)
            self.blocks = (*self.blocks, block)

        self.guard(take_turn)

    def timing(self) -> ProcessTiming:
        assert self.started is not None
        return self.started.model_copy(update={"blocks": self.blocks})


class _SideEndedError(Exception):
    """The case of one side is over early."""

    def __init__(self, is_candidate: bool, outcome: Failed | Skipped) -> None:
        super().__init__(outcome)
        self.is_candidate = is_candidate
        self.outcome = outcome


def _shuffled(fighters: "Sequence[_Fighter]", random: Random) -> "list[_Fighter]":
    order = list(fighters)
    random.shuffle(order)
    return order
