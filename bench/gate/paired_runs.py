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
from bench.harness.paired import Pair, PairedRepetition, SideEnded
from bench.harness.plan import Case
from bench.measurements import Failed, ProcessTiming, Skipped
from bench.progress import Progress
from bench.statistics import processes
from bench.statistics.replication import Estimate, ratio_of_pairs
from device_profiles.settings import Sampling

# After how many processes it is looked whether a pair is decided; a second look takes more than the first.
CHECK_AFTER_PROCESSES = (5, 8, 12, 20, 32, 50)
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
            "check_after_processes": CHECK_AFTER_PROCESSES,
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
    repetitions: list[PairedRepetition] = field(default_factory=list)
    confirmation: list[PairedRepetition] = field(default_factory=list)
    suspected: frozenset[Quantity] = frozenset()
    confirmation_peaks: dict[bool, tuple[int, ...]] = field(default_factory=dict)
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

    def repetitions_of(self, is_confirmation: bool) -> list[PairedRepetition]:
        """Return the fresh rounds, or the first ones."""
        return self.confirmation if is_confirmation else self.repetitions

    def repetitions_for(self, quantity: Quantity) -> list[PairedRepetition]:
        """Return the rounds that decide on a time."""
        return self.repetitions_of(quantity in self.suspected)

    def peaks_bytes(self, is_candidate: bool) -> tuple[int, ...]:
        """Return the memory peak of each process that was looked at; fresh ones alone, if there are any."""
        examined = self.candidate if is_candidate else self.baseline
        if is_candidate in self.confirmation_peaks:
            return self.confirmation_peaks[is_candidate]
        return (examined.memory.highest_bytes,) if isinstance(examined, Examined) else ()


@dataclass(frozen=True)
class SideBySide:
    """Measures pairs, each for so many `seconds`.

    What it does that with is given as functions: `run_repetition` times one round of a pair (see Duels),
    `examine` a case in a process of its own (see Examiner), `clock` gives seconds. `blocks`: turns of a
    round.
    """

    run_repetition: Callable[[Pair, int, float], PairedRepetition | SideEnded]
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
        self._repetitions(measured, CHECK_AFTER_PROCESSES, self.seconds, is_done, "latency")

    def time_confirmation(self, measured: Sequence[Measured], is_done: Done) -> None:
        """Time suspects anew, in more processes, which are kept apart from the earlier ones."""
        first = max((len(one.repetitions) for one in measured), default=0)
        seconds = _SECOND_SECONDS * self.seconds
        self._repetitions(
            measured, _confirmation_checks(first), seconds, is_done, _AGAIN, is_confirmation=True
        )

    def confirmation_processes(self, one: Measured) -> int | None:
        """Return how many processes of each side a second look at a pair has time for; None if too few."""
        seconds, each_s = _SECOND_SECONDS * self.seconds, one.spent_s[False] / len(one.repetitions)
        check_after_processes = _confirmation_checks(len(one.repetitions))
        return next((look for look in reversed(check_after_processes) if look * each_s <= seconds), None)

    def confirm_memory(self, measured: Iterable[Measured]) -> None:
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
            one.confirmation_peaks = found

    def _repetitions(
        self,
        measured: Sequence[Measured],
        check_after_processes: Sequence[int],
        seconds: float,
        is_done: Done,
        called: str,
        is_confirmation: bool = False,
    ) -> None:
        open_ = [one for one in measured if one.runs]
        begin, whole_s = self.clock(), seconds * len(open_)
        for repetition in range(check_after_processes[-1]):
            elapsed_s = self.clock() - begin
            due = _PATIENCE * max(1, repetition) / check_after_processes[0]
            late = {
                one.pair.key
                for one in open_
                if elapsed_s > due * whole_s and one.spent_s[is_confirmation] > due * seconds
            }
            if len(late) < len(open_):
                open_ = [
                    one
                    for one in open_
                    if one.pair.key not in late or not _is_futile(one.repetitions_of(is_confirmation))
                ]
            if not open_ or (repetition >= check_after_processes[0] and elapsed_s >= whole_s):
                return
            of = (
                f"{repetition + 1} of {check_after_processes[0]}"
                if repetition < check_after_processes[0]
                else f"{repetition + 1}, not decided yet"
            )
            self.progress.begin(f"{called}, process {of}", len(open_) * self.blocks)
            for one in open_:
                is_late = one.pair.key in late
                self._run_repetition(
                    one, repetition, 0.0 if is_late else _SHARE_OF_A_PROCESS * seconds, is_confirmation
                )
            open_ = [one for one in open_ if one.runs]
            if repetition + 1 in check_after_processes:
                open_ = [one for one in open_ if not is_done(one)]

    def _run_repetition(self, one: Measured, repetition: int, limit_s: float, is_confirmation: bool) -> None:
        begin, number = self.clock(), repetition + (CHECK_AFTER_PROCESSES[-1] if is_confirmation else 0)
        found = self.run_repetition(one.pair, number, limit_s)
        if isinstance(found, SideEnded):  # once may be the machine's fault; a second time it is the file's
            found = self.run_repetition(one.pair, number, limit_s)
        if isinstance(found, SideEnded):
            one.end(found)
        else:
            one.repetitions_of(is_confirmation).append(found)
        one.spent_s[is_confirmation] += self.clock() - begin


def _confirmation_checks(first: int) -> Sequence[int]:
    """Return the looks of a second look after `first` processes: at more of them, if there are any."""
    return [look for look in CHECK_AFTER_PROCESSES if look > first] or CHECK_AFTER_PROCESSES[-1:]


def _is_futile(repetitions: Sequence[PairedRepetition]) -> bool:
    """Tell whether the ratios that processes found lie so far apart that a few more would decide nothing."""
    found = [processes.ratio([one.candidate], [one.baseline], level=fmean) for one in repetitions]
    ratios = [one.value for one in found if one is not None]
    return len(ratios) >= _ENOUGH_TO_GIVE_UP and max(ratios) > _FAR_APART * min(ratios)


def latency_ratio(repetitions: Sequence[PairedRepetition]) -> Estimate | None:
    """Return the estimate of the logarithm of candidate ÷ baseline, by the means of their blocks."""
    found = processes.ratio(
        [one.candidate for one in repetitions], [one.baseline for one in repetitions], level=fmean
    )
    return None if found is None else found.estimate


def load_ratio(repetitions: Sequence[PairedRepetition]) -> Estimate | None:
    """Return the same of their loading."""
    logs = [[math.log(one.candidate.load_ns / one.baseline.load_ns)] for one in repetitions]
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
