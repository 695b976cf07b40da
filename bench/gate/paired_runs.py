"""Measures the pairs of two bundles: each side examined alone, then both timed in duels, twice if need be.

It knows rounds, looks and time; whether a ratio is good or bad is for decide/ to say.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from bench.gate.findings import Quantity
from bench.harness.journal_entries import Ended, Examined
from bench.harness.paired import Pair, Round, SideEnded
from bench.harness.plan import Case
from bench.measurements import Failed, ProcessTiming, Skipped
from bench.progress import Progress
from bench.statistics import processes
from bench.statistics.replication import Estimate, ratio_of_pairs
from device_profiles.settings import Sampling

# After how many processes it is looked whether a pair is decided; a second look takes more than the first.
LOOKS = (5, 8, 12, 20, 32, 50)
# Seconds of a second look, as a multiple of those of the first: a busy machine needs them.
_SECOND_SECONDS = 3.0
_MEMORY_PROCESSES = 4
# Of the seconds of a variant, how much the turns of one process may take, beside starting it.
_SHARE_OF_A_PROCESS = 0.1
# A pair is late if it takes longer than its seconds by more than this, and all pairs together do: its
# processes have one turn each then. One that is on time does not pay for those that are late.
_PATIENCE = 1.25
# Where so many processes of a late pair find ratios that lie so far apart, as its threads wait for a core
# that other work holds, those to come would decide nothing. Pairs that are on time do not wait for them.
_ENOUGH_TO_GIVE_UP = 3
_FAR_APART = 2.0
_NS_PER_MS = 1e6
_AGAIN = "times, suspected, again"

Done = Callable[["Measured"], bool]


def sampling_of(profile_sampling: Sampling) -> Sampling:
    """Return how a round is timed: 16 inferences a block, for a shorter one is mostly the pause before it.

    Few turns a process: the interval is made over processes, and needs eight of them more than long ones.
    Where inference takes long, blocks end at 150 ms, so that each holds many of the scheduler's time slices.
    """
    return profile_sampling.model_copy(
        update={
            "looks": LOOKS,
            "warm_up": 30,
            "blocks": 8,
            "block_samples": 16,
            "block_s": 0.15,
            "cool_to_c": None,
        }
    )


@dataclass
class Measured:
    """What was measured of a pair so far: the examination of both sides, rounds, and fresh ones.

    `suspected`: the times that were beyond their limit at first, of which fresh rounds alone decide;
    `spent_s`: how long the first rounds took, and the fresh ones, by whether they are fresh.
    """

    pair: Pair
    baseline: Examined | Ended
    candidate: Examined | Ended
    rounds: list[Round] = field(default_factory=list)
    fresh: list[Round] = field(default_factory=list)
    suspected: frozenset[Quantity] = frozenset()
    fresh_peaks: dict[bool, tuple[int, ...]] = field(default_factory=dict)
    spent_s: dict[bool, float] = field(default_factory=lambda: {False: 0.0, True: 0.0})

    @property
    def runs(self) -> bool:
        """Whether both sides still run."""
        return isinstance(self.baseline, Examined) and isinstance(self.candidate, Examined)

    def end(self, ended: SideEnded) -> None:
        """Take into account that one side is over."""
        entry = Ended(case=self.pair.key, outcome=ended.outcome)
        if ended.is_candidate:
            self.candidate = entry
        else:
            self.baseline = entry

    def rounds_of(self, is_fresh: bool) -> list[Round]:
        """Return the fresh rounds, or the first ones."""
        return self.fresh if is_fresh else self.rounds

    def rounds_for(self, quantity: Quantity) -> list[Round]:
        """Return the rounds that decide on a time."""
        return self.rounds_of(quantity in self.suspected)

    def peaks_bytes(self, is_candidate: bool) -> tuple[int, ...]:
        """Return the memory peak of each process that was looked at; fresh ones alone, if there are any."""
        examined = self.candidate if is_candidate else self.baseline
        if is_candidate in self.fresh_peaks:
            return self.fresh_peaks[is_candidate]
        return (examined.memory.highest_bytes,) if isinstance(examined, Examined) else ()


@dataclass(frozen=True)
class SideBySide:
    """Measures pairs, each for so many `seconds`.

    What it does that with is given as functions: `fight` times one round of a pair (see Duels), `examine` a
    case in a process of its own (see Examiner), `clock` gives seconds. `blocks`: turns of a round.
    """

    fight: Callable[[Pair, int, float], Round | SideEnded]
    examine_case: Callable[[Case], Examined | Ended]
    progress: Progress
    seconds: float
    blocks: int
    clock: Callable[[], float] = time.monotonic

    def examine(self, pairs: Sequence[Pair]) -> list[Measured]:
        """Find memory, answers and executed graph of both sides of each pair; of equal files once."""
        self.progress.begin("memory, accuracy and precision", sum(1 if one.is_equal else 2 for one in pairs))
        measured = []
        for pair in pairs:
            baseline = self._examine(pair.baseline)
            candidate = baseline if pair.is_equal else self._examine(pair.candidate)
            measured.append(Measured(pair, baseline, candidate))
        return measured

    def _examine(self, case: Case) -> Examined | Ended:
        entry = self.examine_case(case)
        self.progress.advance(note=case.key)
        return entry

    def time(self, measured: Sequence[Measured], is_done: Done) -> None:
        """Time pairs until each is done at a look, or their seconds are up."""
        self._rounds(measured, LOOKS, self.seconds, is_done, "latency")

    def time_again(self, measured: Sequence[Measured], is_done: Done) -> None:
        """Time suspects anew, in more processes, which are kept apart from the earlier ones."""
        first = max((len(one.rounds) for one in measured), default=0)
        seconds = _SECOND_SECONDS * self.seconds
        self._rounds(measured, _second_looks(first), seconds, is_done, _AGAIN, is_fresh=True)

    def processes_again(self, one: Measured) -> int | None:
        """Return how many processes of each side a second look at a pair has time for; None if too few."""
        seconds, each_s = _SECOND_SECONDS * self.seconds, one.spent_s[False] / len(one.rounds)
        looks = _second_looks(len(one.rounds))
        return next((look for look in reversed(looks) if look * each_s <= seconds), None)

    def examine_memory_again(self, measured: Iterable[Measured]) -> None:
        """Read the memory peak of both sides in fresh processes."""
        suspects = list(measured)
        if suspects:
            self.progress.begin("memory, suspected, again", 2 * _MEMORY_PROCESSES * len(suspects))
        for one in suspects:
            sides = {False: one.pair.baseline, True: one.pair.candidate}
            entries = [
                (side, self._examine(case)) for _ in range(_MEMORY_PROCESSES) for side, case in sides.items()
            ]
            found: dict[bool, tuple[int, ...]] = {}
            for side, entry in entries:
                if isinstance(entry, Ended):
                    one.end(SideEnded(side, entry.outcome))
                else:
                    found[side] = (*found.get(side, ()), entry.memory.highest_bytes)
            one.fresh_peaks = found

    def _rounds(
        self,
        measured: Sequence[Measured],
        looks: Sequence[int],
        seconds: float,
        is_done: Done,
        called: str,
        is_fresh: bool = False,
    ) -> None:
        open_ = [one for one in measured if one.runs]
        begin, whole_s = self.clock(), seconds * len(open_)
        for round_ in range(looks[-1]):
            elapsed_s = self.clock() - begin
            due = _PATIENCE * max(1, round_) / looks[0]
            late = {
                one.pair.key
                for one in open_
                if elapsed_s > due * whole_s and one.spent_s[is_fresh] > due * seconds
            }
            if len(late) < len(open_):
                open_ = [
                    one
                    for one in open_
                    if one.pair.key not in late or not _is_hopeless(one.rounds_of(is_fresh))
                ]
            if not open_ or (round_ >= looks[0] and elapsed_s >= whole_s):
                return
            of = f"{round_ + 1} of {looks[0]}" if round_ < looks[0] else f"{round_ + 1}, not decided yet"
            self.progress.begin(f"{called}, process {of}", len(open_) * self.blocks)
            for one in open_:
                is_late = one.pair.key in late
                self._fight(one, round_, 0.0 if is_late else _SHARE_OF_A_PROCESS * seconds, is_fresh)
            open_ = [one for one in open_ if one.runs]
            if round_ + 1 in looks:
                open_ = [one for one in open_ if not is_done(one)]

    def _fight(self, one: Measured, round_: int, limit_s: float, is_fresh: bool) -> None:
        begin, number = self.clock(), round_ + (LOOKS[-1] if is_fresh else 0)
        found = self.fight(one.pair, number, limit_s)
        if isinstance(found, SideEnded):  # once may be the machine's fault; a second time it is the file's
            found = self.fight(one.pair, number, limit_s)
        if isinstance(found, SideEnded):
            one.end(found)
        else:
            one.rounds_of(is_fresh).append(found)
        one.spent_s[is_fresh] += self.clock() - begin


def _second_looks(first: int) -> Sequence[int]:
    """Return the looks of a second look after `first` processes: at more of them, if there are any."""
    return [look for look in LOOKS if look > first] or LOOKS[-1:]


def _is_hopeless(rounds: Sequence[Round]) -> bool:
    """Tell whether the ratios that processes found lie so far apart that a few more would decide nothing."""
    found = [processes.ratio([one.candidate], [one.baseline], level=fmean) for one in rounds]
    ratios = [one.value for one in found if one is not None]
    return len(ratios) >= _ENOUGH_TO_GIVE_UP and max(ratios) > _FAR_APART * min(ratios)


def latency_ratio(rounds: Sequence[Round]) -> Estimate | None:
    """Return the estimate of the logarithm of candidate ÷ baseline, by the means of their blocks."""
    found = processes.ratio([one.candidate for one in rounds], [one.baseline for one in rounds], level=fmean)
    return None if found is None else found.estimate


def load_ratio(rounds: Sequence[Round]) -> Estimate | None:
    """Return the same of their loading."""
    logs = [[math.log(one.candidate.load_ns / one.baseline.load_ns)] for one in rounds]
    found = ratio_of_pairs(logs)
    return None if found is None else found.estimate


def p50_ms(timed: Iterable[ProcessTiming]) -> float:
    """Return the median of all samples in ms."""
    return median(ns for process in timed for block in process.blocks for ns in block.ns) / _NS_PER_MS


def load_ms(timed: Iterable[ProcessTiming]) -> float:
    """Return the median of the processes' loading times in ms."""
    return median(process.load_ns for process in timed) / _NS_PER_MS


def outcome_of(entry: Examined | Ended) -> Failed | Skipped | None:
    """Return how a side ended; None if it runs."""
    return entry.outcome if isinstance(entry, Ended) else None
