"""Latency: the cases of a group are in memory together, each in a fresh process, and their blocks alternate.

Further repetitions with fresh processes follow until the interval over processes is narrow enough. Formats
and reports are the caller's business.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from bench.harness.case_worker import CaseEndedError, CaseWorker
from bench.harness.journal import Journal
from bench.harness.journal_entries import (
    BlockMeasured,
    Ended,
    JournalState,
    ProcessStarted,
    RepetitionObserved,
    SamplingEnded,
)
from bench.harness.plan import PAUSE_BEFORE_BLOCK_S, Case, Plan, order_of_blocks
from bench.harness.time_limit import Stopwatch, TimeLimit
from bench.harness.timed_outputs import ExpectedOutputs
from bench.measurements import End, ProcessTiming, RepetitionState
from bench.progress import Progress
from bench.statistics.processes import interval_of_median
from bench.system.state import HostState
from bench.system.thermal import hottest_of, read_temperatures
from bench.units import NS_PER_S, ms
from device_profiles.settings import Sampling

_COOLING_STEP_S = 1.0


@dataclass(frozen=True)
class InterleavedRunner:
    """Times the cases of one group. Tests replace its functions."""

    plan: Plan
    """The cases, the sampling and the seed."""
    journal: Journal
    """Receives every measurement at once."""
    progress: Progress
    """Advances by one step per block."""
    sleep: Callable[[float], None]
    """Waits for a number of seconds."""
    read_state: Callable[[], HostState]
    """Reads the state of the machine."""
    read_temperatures: Callable[[], Mapping[str, float]] = read_temperatures
    """Reads the temperature of each thermal zone in °C."""
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    """Counts the seconds of the group that is timed."""

    def time_group(self, group: int, cases: Sequence[Case], seconds: float) -> None:
        """Time the cases of a group in repetitions, until none needs a further process.

        `seconds`: how long that may take. Each case has as many processes as the first check needs, though.
        """
        first_check = self.plan.sampling.check_after_processes[0]
        limit = TimeLimit(seconds, first_check)
        self.stopwatch.start(self.journal.state.time_used_s(group))
        for repetition in range(self.plan.sampling.check_after_processes[-1]):
            if not any(self._needs_samples(case) for case in cases):
                return
            due = self._due(group, repetition, cases, limit)
            if any(case.is_artifact for case in due):
                self.cool()
                count = (
                    f"{repetition + 1} of {first_check}"
                    if repetition < first_check
                    else f"{repetition + 1}, interval still too wide"
                )
                self.progress.begin(f"latency, process {count}", len(due) * self.plan.sampling.blocks)
                self._time_repetition(group, repetition, due, limit)
                self.journal.sync()
            self._end_sampling(repetition + 1, cases, limit)

    def cool(self) -> None:
        """Wait until the hottest thermal zone is as cool as the profile requires, at most until its limit."""
        limit_c, limit_s = self.plan.sampling.cool_to_c, self.plan.sampling.cool_limit_s
        if limit_c is None or not self._is_above(limit_c):
            return
        self.progress.begin(f"cooling to {limit_c:g} °C", round(limit_s))
        waited_s = 0.0
        while waited_s < limit_s and self._is_above(limit_c):
            self.sleep(_COOLING_STEP_S)
            waited_s += _COOLING_STEP_S
            self.progress.advance(round(_COOLING_STEP_S))
        self.stopwatch.leave_out(waited_s)
        if self._is_above(limit_c):
            self.progress.say(
                f"the machine is still above {limit_c:g} °C after {limit_s:g} s of cooling; measuring goes on"
            )

    def _is_above(self, limit_c: float) -> bool:
        hottest = hottest_of(self.read_temperatures())
        return hottest is not None and hottest[1] > limit_c

    def _needs_samples(self, case: Case) -> bool:
        state = self.journal.state
        return case.id in state.examined and case.id not in {*state.ended, *state.sampling_ended}

    def _due(self, group: int, repetition: int, cases: Sequence[Case], limit: TimeLimit) -> list[Case]:
        """Return the cases and controls that still have blocks to measure in a repetition."""
        state, is_up = self.journal.state, limit.is_up(self.stopwatch.used_s, repetition)
        return [
            case
            for case in (*cases, *self.plan.controls)
            if self._needs_samples(case)
            and not _is_done(state.passes_done(case.id, group, repetition), self.plan.sampling, is_up)
        ]

    def _time_repetition(self, group: int, repetition: int, due: Sequence[Case], limit: TimeLimit) -> None:
        with ExitStack() as stack:
            hang_limit_s = self.plan.sampling.hang_limit_s
            workers = {
                case.id: stack.enter_context(CaseWorker(case, hang_limit_s, expected=self._expected(case)))
                for case in due
            }
            # All interpreters start together, on all cores, before any of them is measured.
            started: dict[str, ProcessTiming] = {}
            for worker in workers.values():
                self._guard(worker, worker.wait_until_ready)
            before = self.read_state()
            for worker in workers.values():
                self._start(worker, group, repetition, started)
            self._run_blocks(group, repetition, workers, started, limit)
            state = RepetitionState(
                group=group, repetition=repetition, before=before, after=self.read_state()
            )
            self.journal.add(RepetitionObserved(state=state))

    def _expected(self, case: Case) -> ExpectedOutputs | None:
        """Return what a case's timed inferences have to give: its outputs in the accuracy pass."""
        return ExpectedOutputs.of(case, self.journal.state.examined.get(case.id))

    def _guard(self, worker: CaseWorker, action: Callable[[], None]) -> None:
        """Call `action`, unless the case has ended. If it ends now, write its outcome to the journal."""
        if worker.case.id in self.journal.state.ended:
            return
        stopped_ns = worker.all_stopped_ns
        try:
            action()
        except CaseEndedError as error:
            self.journal.add(Ended(case=worker.case.id, outcome=error.outcome))
        finally:
            self.stopwatch.leave_out((worker.all_stopped_ns - stopped_ns) / NS_PER_S)

    def _start(
        self, worker: CaseWorker, group: int, repetition: int, started: dict[str, ProcessTiming]
    ) -> None:
        case_id = worker.case.id

        def start_worker() -> None:
            process = worker.start(self.plan.pack_of(worker.case), group, repetition, self.plan.sampling)
            self.journal.add(ProcessStarted(case=case_id, process=process))
            started[case_id] = process

        self._guard(worker, start_worker)

    def _run_blocks(
        self,
        group: int,
        repetition: int,
        workers: dict[str, CaseWorker],
        started: dict[str, ProcessTiming],
        limit: TimeLimit,
    ) -> None:
        for pass_index in range(self.plan.sampling.blocks):
            for case_id in order_of_blocks(started, self.plan.seed, group, repetition, pass_index):
                if self._has_block(case_id, group, repetition, pass_index, limit):
                    self._run_block(workers[case_id], started[case_id], pass_index)
                self.progress.advance(note=latest(workers[case_id].case, self.journal.state))
            self.journal.sync()

    def _has_block(
        self, case_id: str, group: int, repetition: int, pass_index: int, limit: TimeLimit
    ) -> bool:
        """Return whether a case still needs its block of a pass.

        No block is measured twice. After the time limit, only a process without any block gets one.
        """
        state = self.journal.state
        if case_id in state.ended or state.passes_done(case_id, group, repetition) > pass_index:
            return False
        is_first_block = not state.processes[case_id][-1].blocks
        return is_first_block or not limit.is_up(self.stopwatch.used_s, repetition)

    def _run_block(self, worker: CaseWorker, started: ProcessTiming, pass_index: int) -> None:
        def measure_block() -> None:
            position = self.journal.state.blocks_measured
            block = worker.run_block(started, self.plan.sampling, pass_index, position)
            self.journal.add(BlockMeasured(case=worker.case.id, block=block))

        self.sleep(PAUSE_BEFORE_BLOCK_S)
        self._guard(worker, measure_block)

    def _end_sampling(self, repetitions: int, cases: Sequence[Case], limit: TimeLimit) -> None:
        """End the sampling of the cases that need no further process.

        This is decided only after the fixed numbers of processes and at the time limit, because a check after
        every process would find a narrow interval by chance.
        """
        sampling, state = self.plan.sampling, self.journal.state
        most = sampling.check_after_processes[-1]
        out_of_time = repetitions < most and limit.ends_after(self.stopwatch.used_s, repetitions)
        if repetitions < sampling.check_after_processes[0] or not (
            out_of_time or repetitions in sampling.check_after_processes
        ):
            return
        for case in cases:
            if self._needs_samples(case):
                processes = state.measured(case.id, repetitions)
                end = end_of_sampling(processes, repetitions, sampling, out_of_time)
                if end is not None:
                    self.journal.add(SamplingEnded(case=case.id, end=end))


def latest(case: Case, state: JournalState) -> str:
    """Return a case's id with the median of its latest block: the first number that a user sees."""
    processes = state.processes.get(case.id)
    if not case.is_artifact or not processes or not processes[-1].blocks:
        return case.id
    provenance = " (proxy)" if case.is_proxy else ""
    return f"{case.id} {ms(median(processes[-1].blocks[-1].ns)):.2f} ms{provenance}"


def _is_done(passes: int, sampling: Sampling, is_up: bool) -> bool:
    """Return whether a case that has blocks of so many passes needs no further one in a repetition."""
    return passes >= sampling.blocks or (passes > 0 and is_up)


def end_of_sampling(
    processes: Sequence[ProcessTiming], repetitions: int, sampling: Sampling, out_of_time: bool
) -> End | None:
    """Return why the sampling of a case ends after these processes; None if it goes on."""
    interval = interval_of_median(processes) if processes else None
    if interval is not None and interval.half_width <= sampling.interval:
        return End.NARROW
    if out_of_time:
        return End.TIME
    if repetitions < sampling.check_after_processes[-1]:
        return None
    return End.PROCESSES if interval is not None else End.FEW
