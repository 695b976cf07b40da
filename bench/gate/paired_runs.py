"""Measures pairs: examines each side alone, then times both in paired runs until all are decided.

It knows repetitions and seconds. The gate's rules decide what a ratio means.
"""

import math
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from bench.gate.timing_rules import LOOKS, MOST_PROCESSES
from bench.harness.journal_entries import Ended, Examined
from bench.harness.paired_blocks import Pair, PairedRepetition, SideEnded
from bench.harness.plan import Case
from bench.measurements import Failed, ProcessTiming, Skipped
from bench.progress import Progress
from bench.statistics import processes
from bench.statistics.replication import FEWEST_PROCESSES, Estimate, trimmed_estimate
from device_profiles.settings import Sampling

_MEMORY_PROCESSES = 4
# The blocks of one process may take this share of a variant's seconds, in addition to its start.
_SHARE_OF_A_PROCESS = 0.1
# A pair is over its time if it took its seconds times this factor, and all pairs together did so too. Its
# processes then run one block each, so that the other pairs do not pay for it.
_OVERTIME_FACTOR = 1.25
# A pair over its time is futile if so many of its processes have ratios that differ by more than this factor,
# as they do while its threads wait for a core that other work occupies. Further processes would decide
# nothing, so the pair is dropped and the other pairs do not wait for it.
_FUTILITY_PROCESSES = 3
_FUTILITY_FACTOR = 2.0

StillOpen = Callable[[], Collection[str]]


def sampling_of(profile_sampling: Sampling) -> Sampling:
    """Return the sampling of a repetition: a few blocks of 16 inferences.

    A shorter block consists mostly of the pause before it. There are few blocks for each process, because the
    interval is made over processes, and eight more processes help more than longer ones. Where inference is
    slow, a block ends after 150 ms, so that it contains many of the scheduler's time slices.
    """
    return profile_sampling.model_copy(
        update={
            "check_after_processes": LOOKS,
            "warm_up": 30,
            "blocks": 8,
            "block_samples": 16,
            "block_s": 0.15,
            "cool_to_c": None,
        }
    )


@dataclass
class MeasuredPair:
    """What was measured of a pair so far."""

    pair: Pair
    """The two sides."""
    baseline: Examined | Ended
    """The baseline's examination, or how it ended."""
    candidate: Examined | Ended
    """The candidate's examination, or how it ended."""
    repetitions: list[PairedRepetition] = field(default_factory=list)
    """Its repetitions: a fresh process of each side."""
    peaks: dict[bool, tuple[int, ...]] = field(default_factory=dict)
    """The memory peaks of the confirmation run, by whether they are the candidate's."""
    spent_s: float = 0.0
    """The seconds that its repetitions took."""

    @property
    def id(self) -> str:
        """The id of the case that both sides are."""
        return self.pair.id

    @property
    def runs(self) -> bool:
        """Whether both sides still run."""
        return isinstance(self.baseline, Examined) and isinstance(self.candidate, Examined)

    def end(self, ended: SideEnded) -> None:
        """Record that one side failed or was skipped."""
        entry = Ended(case=self.id, outcome=ended.outcome)
        if ended.is_candidate:
            self.candidate = entry
        else:
            self.baseline = entry

    def peaks_bytes(self, is_candidate: bool) -> tuple[int, ...]:
        """Return the memory peak of each process: of the confirmation run alone, if there was one."""
        examined = self.candidate if is_candidate else self.baseline
        if is_candidate in self.peaks:
            return self.peaks[is_candidate]
        return (examined.memory.highest_bytes,) if isinstance(examined, Examined) else ()


@dataclass(frozen=True)
class PairedRuns:
    """Measures pairs. The functions that do the work are given, so that tests can replace them."""

    run_repetition: Callable[[Pair, int, float], PairedRepetition | SideEnded]
    """Times one repetition of a pair (see PairedRunner)."""
    examine_case: Callable[[Case], Examined | Ended]
    """Examines a case in a process of its own (see Examiner)."""
    examine_memory: Callable[[Case], Examined | Ended]
    """Examines a case in the same way, but no more than its memory."""
    progress: Progress
    """The progress display."""
    seconds: float
    """The seconds for each pair. What a decided pair leaves, the open ones get."""
    blocks: int
    """The blocks of a repetition."""
    clock: Callable[[], float] = time.monotonic
    """Gives the present time in seconds."""

    def examine(self, pairs: Sequence[Pair]) -> list[MeasuredPair]:
        """Find memory, predictions and executed graph of each side. Equal files are examined once."""
        answers = "outputs" if any(pair.candidate.model is not None for pair in pairs) else "accuracy"
        self.progress.begin(
            f"memory, {answers} and precision", sum(1 if pair.is_equal else 2 for pair in pairs)
        )
        measured = []
        for pair in pairs:
            baseline = self._examine(pair.baseline)
            candidate = baseline if pair.is_equal else self._examine(pair.candidate)
            measured.append(MeasuredPair(pair, baseline, candidate))
        return measured

    def _examine(self, case: Case) -> Examined | Ended:
        return self._advanced(case, self.examine_case(case))

    def _advanced(self, case: Case, entry: Examined | Ended) -> Examined | Ended:
        self.progress.advance(note=case.id)
        return entry

    def time(self, measured: Sequence[MeasuredPair], still_open: StillOpen) -> None:
        """Time pairs in turn until all are decided, or until the seconds of all together are over.

        `still_open` returns the ids of the undecided pairs. It is asked after each round, because pairs share
        what they show of the differences between processes: a later round may open a pair again.
        """
        runs = [pair for pair in measured if pair.runs]
        begin, total_s = self.clock(), self.seconds * len(runs)
        remaining = runs
        for number in range(MOST_PROCESSES):
            elapsed_s = self.clock() - begin
            over_time = self._over_time(remaining, number, elapsed_s, total_s)
            remaining = _without_futile(remaining, over_time)
            if not remaining or (number >= FEWEST_PROCESSES and elapsed_s >= total_s):
                return
            self._begin(number, len(remaining))
            for pair in remaining:
                self._run_repetition(
                    pair, 0.0 if pair.id in over_time else _SHARE_OF_A_PROCESS * self.seconds
                )
            open_ids = still_open() if number + 1 >= FEWEST_PROCESSES else {pair.id for pair in remaining}
            remaining = [pair for pair in runs if pair.runs and pair.id in open_ids]

    def confirm_memory(self, measured: Iterable[MeasuredPair]) -> None:
        """Measure the memory peak of both sides in fresh processes."""
        suspected = list(measured)
        if suspected:
            processes_to_run = 2 * _MEMORY_PROCESSES * len(suspected)
            self.progress.begin("confirmation run of suspected memory", processes_to_run)
        for pair in suspected:
            self._confirm_memory_of(pair)

    def _confirm_memory_of(self, pair: MeasuredPair) -> None:
        peaks: dict[bool, tuple[int, ...]] = {}
        ends: list[SideEnded] = []
        for _ in range(_MEMORY_PROCESSES):
            for is_candidate, case in ((False, pair.pair.baseline), (True, pair.pair.candidate)):
                entry = self._advanced(case, self.examine_memory(case))
                if isinstance(entry, Ended):
                    ends.append(SideEnded(is_candidate, entry.outcome))
                else:
                    peaks[is_candidate] = (*peaks.get(is_candidate, ()), entry.memory.highest_bytes)
        for ended in ends:
            pair.end(ended)
        pair.peaks = peaks

    def _begin(self, number: int, pairs: int) -> None:
        suffix = f" of {FEWEST_PROCESSES}" if number < FEWEST_PROCESSES else ", not decided yet"
        self.progress.begin(f"latency, process {number + 1}{suffix}", pairs * self.blocks)

    def _run_repetition(self, pair: MeasuredPair, limit_s: float) -> None:
        begin, number = self.clock(), len(pair.repetitions)
        result = self.run_repetition(pair.pair, number, limit_s)
        if isinstance(result, SideEnded):
            # The machine may cause a first failure; the file causes a second one.
            result = self.run_repetition(pair.pair, number, limit_s)
        if isinstance(result, SideEnded):
            pair.end(result)
        else:
            pair.repetitions.append(result)
        pair.spent_s += self.clock() - begin

    def _over_time(
        self, pairs: Sequence[MeasuredPair], number: int, elapsed_s: float, total_s: float
    ) -> set[str]:
        """Return the ids of the pairs that are over their time; none unless all pairs together are."""
        due = _OVERTIME_FACTOR * max(1, number) / FEWEST_PROCESSES
        if elapsed_s <= due * total_s:
            return set()
        return {pair.id for pair in pairs if pair.spent_s > due * self.seconds}


def _without_futile(pairs: list[MeasuredPair], over_time: set[str]) -> list[MeasuredPair]:
    """Drop the futile pairs among those over their time, unless all pairs are over their time."""
    if len(over_time) == len(pairs):
        return pairs
    return [pair for pair in pairs if pair.id not in over_time or not _is_futile(pair.repetitions)]


def _is_futile(repetitions: Sequence[PairedRepetition]) -> bool:
    """Tell whether the ratios of the processes differ so much that a few more would decide nothing."""
    ratios = [ratio for repetition in repetitions for ratio in _logs_of([repetition])]
    return len(ratios) >= _FUTILITY_PROCESSES and max(ratios) > math.log(_FUTILITY_FACTOR) + min(ratios)


def latency_ratio(repetitions: Sequence[PairedRepetition]) -> Estimate | None:
    """Return the estimate of the logarithm of candidate ÷ baseline, by the means of their blocks."""
    return trimmed_estimate(_logs_of(repetitions))


def load_ratio(repetitions: Sequence[PairedRepetition]) -> Estimate | None:
    """Return the estimate of the logarithm of candidate ÷ baseline, by their load times."""
    return trimmed_estimate(
        [math.log(repetition.candidate.load_ns / repetition.baseline.load_ns) for repetition in repetitions]
    )


def _logs_of(repetitions: Sequence[PairedRepetition]) -> list[float]:
    """Return the logarithm of candidate ÷ baseline for each repetition: the median over its passes."""
    candidate = [repetition.candidate for repetition in repetitions]
    baseline = [repetition.baseline for repetition in repetitions]
    return processes.log_ratios(candidate, baseline, level=fmean)


def p50_ns(timed: Iterable[ProcessTiming]) -> float:
    """Return the median of all samples."""
    return median(ns for process in timed for block in process.blocks for ns in block.ns)


def load_ns(timed: Iterable[ProcessTiming]) -> float:
    """Return the median load time of the processes."""
    return median(process.load_ns for process in timed)


def outcome_of(entry: Examined | Ended) -> Failed | Skipped | None:
    """Return how a side ended; None if it runs."""
    return entry.outcome if isinstance(entry, Ended) else None
