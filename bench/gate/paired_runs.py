"""Measures pairs: examines each side alone, then times both in paired runs until all are decided.

It knows repetitions and seconds. The gate's rules decide what a ratio means.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median

from bench.gate.multiplicity import CHECK_AFTER_PROCESSES
from bench.gate.next_pair import FUTILITY_FACTOR, has_estimate, is_behind, next_pair
from bench.harness.journal_entries import Ended, Examined
from bench.harness.paired_blocks import Pair, PairedRepetition, SideEnded
from bench.harness.plan import Case
from bench.harness.timed_outputs import ExpectedOutputs
from bench.measurements import Failed, ProcessTiming, Skipped
from bench.progress import Progress
from bench.statistics import processes
from bench.statistics.replication import Estimate, trimmed_estimate
from device_profiles.settings import Sampling

_MEMORY_PROCESSES = 4
# The blocks of one process may take this share of a variant's seconds, in addition to its start.
_SHARE_OF_A_PROCESS = 0.1

StillOpen = Callable[[], Mapping[str, bool]]
"""Returns the ids of the undecided pairs that have an estimate, and whether each seems to be worse."""


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
            "blocks": 24,
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
    retried: list[SideEnded] = field(default_factory=list)
    """How a side ended early in a repetition that was then run again."""
    seconds_spent: float = 0.0
    """The seconds that its repetitions took."""

    @property
    def id(self) -> str:
        """The id of the case that both sides are."""
        return self.pair.id

    @property
    def runs(self) -> bool:
        """Whether both sides still run."""
        return isinstance(self.baseline, Examined) and isinstance(self.candidate, Examined)

    @property
    def processes(self) -> int:
        """The number of its repetitions, each of which is a fresh process of each side."""
        return len(self.repetitions)

    @property
    def is_scattered(self) -> bool:
        """Whether the ratios of its processes differ so much that a few more would decide nothing."""
        logs = log_ratios(self.repetitions)
        return bool(logs) and max(logs) - min(logs) > math.log(FUTILITY_FACTOR)

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
    expect: Callable[[Case, Examined | Ended], ExpectedOutputs | None]
    """Returns what the timed inferences of an examined case have to give."""
    progress: Progress
    """The progress display."""
    seconds: float
    """The seconds for each pair. What a decided pair leaves, the open ones get."""
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
            expecting = replace(
                pair,
                baseline_expected=self.expect(pair.baseline, baseline),
                candidate_expected=self.expect(pair.candidate, candidate),
            )
            measured.append(MeasuredPair(expecting, baseline, candidate))
        return measured

    def _examine(self, case: Case) -> Examined | Ended:
        return self._advanced(case, self.examine_case(case))

    def _advanced(self, case: Case, entry: Examined | Ended) -> Examined | Ended:
        self.progress.advance(note=case.id)
        return entry

    def time(self, measured: Sequence[MeasuredPair], still_open: StillOpen) -> None:
        """Time pairs until all are decided, or until the seconds of all together are over.

        `next_pair.py` has the rules. `still_open` is asked after each repetition, because pairs share what
        they show of the differences between processes: one may be open again later.
        """
        runs = [pair for pair in measured if pair.runs]
        begin, shown_s = self.clock(), 0
        self.progress.begin("latency, in seconds", math.ceil(self.seconds * len(runs)))
        still: Mapping[str, bool] = {}
        while (pair := next_pair(runs, still, self.clock() - begin, self.seconds)) is not None:
            self._run_repetition(pair)
            still = still_open()
            elapsed_s = int(self.clock() - begin)
            self.progress.advance(elapsed_s - shown_s, note=_note(pair, runs, still))
            shown_s = elapsed_s

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

    def _run_repetition(self, pair: MeasuredPair) -> None:
        begin, number = self.clock(), pair.processes
        limit_s = 0.0 if is_behind(pair, self.seconds) else _SHARE_OF_A_PROCESS * self.seconds
        result = self.run_repetition(pair.pair, number, limit_s)
        if isinstance(result, SideEnded):
            # The machine may cause a first failure; the file causes a second one.
            pair.retried.append(result)
            result = self.run_repetition(pair.pair, number, limit_s)
        if isinstance(result, SideEnded):
            pair.end(result)
        else:
            pair.repetitions.append(result)
        pair.seconds_spent += self.clock() - begin


def _note(pair: MeasuredPair, pairs: Sequence[MeasuredPair], still_open: Mapping[str, bool]) -> str:
    """Return what was timed last, and how many pairs are decided."""
    last = f"{pair.id}, process {pair.processes}"
    if len(pairs) == 1:
        return last
    decided = sum(has_estimate(pair) and pair.id not in still_open for pair in pairs)
    return f"{last}; {decided} of {len(pairs)} decided"


def latency_ratio(repetitions: Sequence[PairedRepetition]) -> Estimate | None:
    """Return the estimate of the logarithm of candidate ÷ baseline, by the means of their blocks."""
    return trimmed_estimate(log_ratios(repetitions))


def load_ratio(repetitions: Sequence[PairedRepetition]) -> Estimate | None:
    """Return the estimate of the logarithm of candidate ÷ baseline, by their load times."""
    return trimmed_estimate(
        [math.log(repetition.candidate.load_ns / repetition.baseline.load_ns) for repetition in repetitions]
    )


def log_ratios(repetitions: Sequence[PairedRepetition]) -> list[float]:
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
