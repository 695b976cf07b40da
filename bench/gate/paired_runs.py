"""Measures pairs: examines each side alone, times both in paired runs, and confirms.

It knows repetitions, seconds and early termination. The gate's rules decide what a ratio means.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from bench.gate.findings import Quantity
from bench.harness.journal_entries import Ended, Examined
from bench.harness.paired_blocks import Pair, PairedRepetition, SideEnded
from bench.harness.plan import Case
from bench.measurements import Failed, ProcessTiming, Skipped
from bench.progress import Progress
from bench.statistics import processes
from bench.statistics.replication import Estimate, Ratio, ratio_of_pairs
from device_profiles.settings import Sampling

# After so many processes it is checked whether a pair is decided. A confirmation run takes more of them.
CHECK_AFTER_PROCESSES = (5, 8, 12, 20, 32, 50)
# Seconds of a confirmation run ÷ seconds of the first run. A busy machine needs that many.
_CONFIRMATION_FACTOR = 3.0
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

IsDecided = Callable[["MeasuredPair"], bool]


def sampling_of(profile_sampling: Sampling) -> Sampling:
    """Return the sampling of a repetition: a few blocks of 16 inferences.

    A shorter block consists mostly of the pause before it. There are few blocks for each process, because the
    interval is made over processes, and eight more processes help more than longer ones. Where inference is
    slow, a block ends after 150 ms, so that it contains many of the scheduler's time slices.
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
class MeasuredPair:
    """What was measured of a pair so far."""

    pair: Pair
    """The two sides."""
    baseline: Examined | Ended
    """The baseline's examination, or how it ended."""
    candidate: Examined | Ended
    """The candidate's examination, or how it ended."""
    repetitions: list[PairedRepetition] = field(default_factory=list)
    """The repetitions of the first run."""
    confirmation: list[PairedRepetition] = field(default_factory=list)
    """The repetitions of the confirmation run."""
    suspected: frozenset[Quantity] = frozenset()
    """The times that exceeded their limit in the first run. Only the confirmation run decides them."""
    confirmation_peaks: dict[bool, tuple[int, ...]] = field(default_factory=dict)
    """The memory peaks of the confirmation run, by whether they are the candidate's."""
    spent_s: dict[bool, float] = field(default_factory=lambda: {False: 0.0, True: 0.0})
    """The seconds that each run took, by whether it is the confirmation run."""

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

    def repetitions_of(self, is_confirmation: bool) -> list[PairedRepetition]:
        """Return the repetitions of the confirmation run, or of the first run."""
        return self.confirmation if is_confirmation else self.repetitions

    def repetitions_for(self, quantity: Quantity) -> list[PairedRepetition]:
        """Return the repetitions that decide a time."""
        return self.repetitions_of(quantity in self.suspected)

    def peaks_bytes(self, is_candidate: bool) -> tuple[int, ...]:
        """Return the memory peak of each process: of the confirmation run alone, if there was one."""
        examined = self.candidate if is_candidate else self.baseline
        if is_candidate in self.confirmation_peaks:
            return self.confirmation_peaks[is_candidate]
        return (examined.memory.highest_bytes,) if isinstance(examined, Examined) else ()


@dataclass(frozen=True)
class _Phase:
    """The first run of all pairs, or the confirmation run of the suspected ones."""

    name: str
    """Its name in the progress display."""
    checks: Sequence[int]
    """The numbers of processes after which it is checked whether a pair is decided."""
    seconds: float
    """The seconds for each pair."""
    is_confirmation: bool
    """Whether it is the confirmation run."""

    def due(self, repetition: int) -> float:
        """Return the share of its seconds that a pair may have taken before a repetition with this number."""
        return _OVERTIME_FACTOR * max(1, repetition) / self.checks[0]


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
    """The seconds for each pair in the first run."""
    blocks: int
    """The blocks of a repetition."""
    clock: Callable[[], float] = time.monotonic
    """Gives the present time in seconds."""

    def examine(self, pairs: Sequence[Pair]) -> list[MeasuredPair]:
        """Find memory, predictions and executed graph of each side. Equal files are examined once."""
        self.progress.begin(
            "memory, accuracy and precision", sum(1 if pair.is_equal else 2 for pair in pairs)
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

    def time(self, measured: Sequence[MeasuredPair], is_decided: IsDecided) -> None:
        """Time pairs until a check finds each decided, or until their seconds are over."""
        phase = _Phase("latency", CHECK_AFTER_PROCESSES, self.seconds, is_confirmation=False)
        self._run(phase, measured, is_decided)

    def time_confirmation(self, measured: Sequence[MeasuredPair], is_decided: IsDecided) -> None:
        """Time suspected regressions again, in more processes. Their results are kept separate."""
        first = max((len(pair.repetitions) for pair in measured), default=0)
        seconds = _CONFIRMATION_FACTOR * self.seconds
        name = "confirmation run of suspected times"
        phase = _Phase(name, _confirmation_checks(first), seconds, is_confirmation=True)
        self._run(phase, measured, is_decided)

    def confirmation_processes(self, pair: MeasuredPair) -> int | None:
        """Return how many processes of each side a confirmation run has time for; None if too few."""
        seconds, each_s = _CONFIRMATION_FACTOR * self.seconds, pair.spent_s[False] / len(pair.repetitions)
        checks = _confirmation_checks(len(pair.repetitions))
        return next((count for count in reversed(checks) if count * each_s <= seconds), None)

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
        pair.confirmation_peaks = peaks

    def _run(self, phase: _Phase, measured: Sequence[MeasuredPair], is_decided: IsDecided) -> None:
        remaining = [pair for pair in measured if pair.runs]
        begin, total_s = self.clock(), phase.seconds * len(remaining)
        for repetition in range(phase.checks[-1]):
            elapsed_s = self.clock() - begin
            over_time = _over_time(phase, remaining, repetition, elapsed_s, total_s)
            remaining = _without_futile(phase, remaining, over_time)
            if not remaining or (repetition >= phase.checks[0] and elapsed_s >= total_s):
                return
            self._begin(phase, repetition, len(remaining))
            for pair in remaining:
                limit_s = 0.0 if pair.id in over_time else _SHARE_OF_A_PROCESS * phase.seconds
                self._run_repetition(phase, pair, repetition, limit_s)
            remaining = [pair for pair in remaining if pair.runs]
            if repetition + 1 in phase.checks:
                remaining = [pair for pair in remaining if not is_decided(pair)]

    def _begin(self, phase: _Phase, repetition: int, pairs: int) -> None:
        fewest = phase.checks[0]
        suffix = f" of {fewest}" if repetition < fewest else ", not decided yet"
        self.progress.begin(f"{phase.name}, process {repetition + 1}{suffix}", pairs * self.blocks)

    def _run_repetition(self, phase: _Phase, pair: MeasuredPair, repetition: int, limit_s: float) -> None:
        begin = self.clock()
        number = repetition + (CHECK_AFTER_PROCESSES[-1] if phase.is_confirmation else 0)
        result = self.run_repetition(pair.pair, number, limit_s)
        if isinstance(
            result, SideEnded
        ):  # the machine may cause a first failure; the file causes a second one
            result = self.run_repetition(pair.pair, number, limit_s)
        if isinstance(result, SideEnded):
            pair.end(result)
        else:
            marked = result.model_copy(update={"confirmation": phase.is_confirmation})
            pair.repetitions_of(phase.is_confirmation).append(marked)
        pair.spent_s[phase.is_confirmation] += self.clock() - begin


def _over_time(
    phase: _Phase, pairs: Sequence[MeasuredPair], repetition: int, elapsed_s: float, total_s: float
) -> set[str]:
    """Return the ids of the pairs that are over their time; none unless all pairs together are."""
    due = phase.due(repetition)
    if elapsed_s <= due * total_s:
        return set()
    return {pair.id for pair in pairs if pair.spent_s[phase.is_confirmation] > due * phase.seconds}


def _without_futile(phase: _Phase, pairs: list[MeasuredPair], over_time: set[str]) -> list[MeasuredPair]:
    """Drop the futile pairs among those over their time, unless all pairs are over their time."""
    if len(over_time) == len(pairs):
        return pairs
    return [
        pair
        for pair in pairs
        if pair.id not in over_time or not _is_futile(pair.repetitions_of(phase.is_confirmation))
    ]


def _confirmation_checks(first: int) -> Sequence[int]:
    """Return after how many processes a confirmation run checks: after more than the first run had."""
    return [count for count in CHECK_AFTER_PROCESSES if count > first] or CHECK_AFTER_PROCESSES[-1:]


def _is_futile(repetitions: Sequence[PairedRepetition]) -> bool:
    """Tell whether the ratios of the processes differ so much that a few more would decide nothing."""
    known = [_mean_ratio([repetition]) for repetition in repetitions]
    ratios = [ratio.value for ratio in known if ratio is not None]
    return len(ratios) >= _FUTILITY_PROCESSES and max(ratios) > _FUTILITY_FACTOR * min(ratios)


def _mean_ratio(repetitions: Sequence[PairedRepetition]) -> Ratio | None:
    """Return candidate ÷ baseline by the means of their blocks."""
    candidate = [repetition.candidate for repetition in repetitions]
    baseline = [repetition.baseline for repetition in repetitions]
    return processes.ratio(candidate, baseline, level=fmean)


def latency_ratio(repetitions: Sequence[PairedRepetition]) -> Estimate | None:
    """Return the estimate of the logarithm of candidate ÷ baseline, by the means of their blocks."""
    ratio = _mean_ratio(repetitions)
    return None if ratio is None else ratio.estimate


def load_ratio(repetitions: Sequence[PairedRepetition]) -> Estimate | None:
    """Return the estimate of the logarithm of candidate ÷ baseline, by their load times."""
    ratio = ratio_of_pairs(
        [[math.log(repetition.candidate.load_ns / repetition.baseline.load_ns)] for repetition in repetitions]
    )
    return None if ratio is None else ratio.estimate


def p50_ns(timed: Iterable[ProcessTiming]) -> float:
    """Return the median of all samples."""
    return median(ns for process in timed for block in process.blocks for ns in block.ns)


def load_ns(timed: Iterable[ProcessTiming]) -> float:
    """Return the median load time of the processes."""
    return median(process.load_ns for process in timed)


def outcome_of(entry: Examined | Ended) -> Failed | Skipped | None:
    """Return how a side ended; None if it runs."""
    return entry.outcome if isinstance(entry, Ended) else None
