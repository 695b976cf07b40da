"""Latency: the cases of a wave are alive together, each in a fresh process, and take turns; then once more
with other fresh processes, until the interval over processes is narrow enough.

It knows workers and findings, and nothing of formats or reports.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from bench.harness.case_worker import CaseEndedError, CaseWorker
from bench.harness.journal import Journal
from bench.harness.journal_entries import BlockMeasured, Ended, Findings, Started, Stopped, Watched
from bench.harness.plan import Case, Plan, order_of_blocks
from bench.measurements import Block, End, ProcessTiming, RepetitionState
from bench.progress import Progress
from bench.statistics.processes import interval_of_median
from bench.system.state import HostState
from bench.system.thermal import hottest_of, read_temperatures
from device_profiles.settings import Sampling

# A worker answers when its threads rest. This is for what comes after: caches written back, timers, the rest
# of the machine.
_PAUSE_BEFORE_A_TURN_S = 0.005
_COOLING_STEP_S = 1.0


@dataclass(frozen=True)
class InterleavedRunner:
    """Times the cases of one wave. What it does besides is given as functions, for tests to put their own."""

    plan: Plan
    journal: Journal
    progress: Progress
    sleep: Callable[[float], None]
    read_state: Callable[[], HostState]
    read_temperatures: Callable[[], Mapping[str, float]] = read_temperatures

    def time_group(self, group: int, cases: Sequence[Case]) -> None:
        """Time cases round by round, each in as many processes as it takes; the journal gets everything."""
        first = self.plan.sampling.check_after_processes[0]
        for repetition in range(self.plan.sampling.check_after_processes[-1]):
            if not any(self._goes_on(case) for case in cases):
                return
            due = self._due(group, repetition, cases)
            if any(case.is_judged for case in due):
                self.cool()
                of = (
                    f"{repetition + 1} of {first}"
                    if repetition < first
                    else f"{repetition + 1}, interval too wide"
                )
                self.progress.begin(f"latency, process {of}", len(due) * self.plan.sampling.blocks)
                self._time_repetition(group, repetition, due)
                self.journal.sync()
            self._look(group, repetition + 1, cases)

    def cool(self) -> None:
        """Wait until the hottest thermal zone is as cool as the profile wants it, or has had its time."""
        wanted_c, limit_s = self.plan.sampling.cool_to_c, self.plan.sampling.cool_limit_s
        if wanted_c is None or not self._is_above(wanted_c):
            return
        self.progress.begin(f"cooling to {wanted_c:g} °C", round(limit_s))
        waited_s = 0.0
        while waited_s < limit_s and self._is_above(wanted_c):
            self.sleep(_COOLING_STEP_S)
            waited_s += _COOLING_STEP_S
            self.progress.advance(round(_COOLING_STEP_S))
        if self._is_above(wanted_c):
            self.progress.say(f"still above {wanted_c:g} °C after {limit_s:g} s; going on")

    def _is_above(self, wanted_c: float) -> bool:
        hottest = hottest_of(self.read_temperatures())
        return hottest is not None and hottest[1] > wanted_c

    def _goes_on(self, case: Case) -> bool:
        found = self.journal.found
        return case.key in found.examined and case.key not in {*found.ended, *found.stopped}

    def _due(self, group: int, repetition: int, cases: Sequence[Case]) -> list[Case]:
        """Return the cases that have something left to do in a round, with their companions."""
        found = self.journal.found
        return [
            case
            for case in (*cases, *self.plan.controls)
            if self._goes_on(case) and not _is_over(found, case, group, repetition, self.plan.sampling)
        ]

    def _time_repetition(self, group: int, repetition: int, due: Sequence[Case]) -> None:
        with ExitStack() as stack:
            hang_limit_s = self.plan.sampling.hang_limit_s
            workers = {case.key: stack.enter_context(CaseWorker(case, hang_limit_s)) for case in due}
            # All interpreters come up together, on all cores, before any of them is measured.
            started: dict[str, ProcessTiming] = {}
            for key, worker in workers.items():
                self._guard(key, worker.wait_until_ready)
            before = self.read_state()
            for key, worker in workers.items():
                self._start(key, worker, group, repetition, started)
            self._run_blocks(group, repetition, workers, started)
            state = RepetitionState(
                group=group, repetition=repetition, before=before, after=self.read_state()
            )
            self.journal.add(Watched(state=state))

    def _guard(self, key: str, do: Callable[[], None]) -> None:
        """Do something with a case's worker; if the case is over, that is its outcome."""
        if key in self.journal.found.ended:
            return
        try:
            do()
        except CaseEndedError as error:
            self.journal.add(Ended(case=key, outcome=error.outcome))

    def _start(
        self, key: str, worker: CaseWorker, group: int, repetition: int, started: dict[str, ProcessTiming]
    ) -> None:
        def start() -> None:
            process = worker.start(str(self.plan.pack), group, repetition, self.plan.sampling)
            self.journal.add(Started(case=key, process=process))
            started[key] = process

        self._guard(key, start)

    def _run_blocks(
        self, group: int, repetition: int, workers: dict[str, CaseWorker], started: dict[str, ProcessTiming]
    ) -> None:
        for pass_index in range(self.plan.sampling.blocks):
            for key in order_of_blocks(started, self.plan.seed, group, repetition, pass_index):
                if self._has_block(key, group, repetition, pass_index):
                    self._run_block(key, workers[key], started[key], pass_index)
                self.progress.advance(note=key)
            self.journal.sync()

    def _has_block(self, key: str, group: int, repetition: int, pass_index: int) -> bool:
        """Tell whether a case takes its turn in a sweep: not twice, and once a process when time is up."""
        found = self.journal.found
        if key in found.ended or found.passes_done(key, group, repetition) > pass_index:
            return False
        alone = not found.processes[key][-1].blocks
        return alone or not time_is_up(found, group, repetition, self.plan.sampling)

    def _run_block(self, key: str, worker: CaseWorker, started: ProcessTiming, pass_index: int) -> None:
        def position() -> None:
            answer = worker.run_block(started, self.plan.sampling)
            block = Block(
                pass_index=pass_index,
                position=self.journal.found.blocks_run,
                ns=answer.ns,
                counters=answer.counters,
            )
            self.journal.add(BlockMeasured(case=key, block=block))

        self.sleep(_PAUSE_BEFORE_A_TURN_S)
        self._guard(key, position)

    def _look(self, group: int, repetitions: int, cases: Sequence[Case]) -> None:
        """At one of the fixed looks, or when time is up, end the sampling of the cases that need no more."""
        sampling, found = self.plan.sampling, self.journal.found
        over = time_is_up(found, group, repetitions - 1, sampling)
        if repetitions < sampling.check_after_processes[0] or not (
            over or repetitions in sampling.check_after_processes
        ):
            return
        for case in cases:
            if self._goes_on(case):
                end = end_of_sampling(found.measured(case.key, repetitions), repetitions, sampling, over)
                if end is not None:
                    self.journal.add(Stopped(case=case.key, end=end))


def time_is_up(found: Findings, group: int, repetition: int, sampling: Sampling) -> bool:
    """Tell whether a wave has had the time it may have by the end of a round.

    Each round up to the first look has its share of the limit, so that a slow machine cuts all of them alike.
    """
    share = min(1.0, (repetition + 1) / sampling.check_after_processes[0])
    return found.spent_s(group) >= share * sampling.time_limit_s


def _is_over(found: Findings, case: Case, group: int, repetition: int, sampling: Sampling) -> bool:
    """Tell whether a round of a case is in the journal as far as it will ever be."""
    done = found.passes_done(case.key, group, repetition)
    return done >= sampling.blocks or (done > 0 and time_is_up(found, group, repetition, sampling))


def end_of_sampling(
    processes: Sequence[ProcessTiming], repetitions: int, sampling: Sampling, out_of_time: bool
) -> End | None:
    """Return why a case's sampling ends at this look; None if it goes on."""
    interval = interval_of_median(processes) if processes else None
    if interval is not None and interval.half_width <= sampling.interval:
        return End.NARROW
    if out_of_time:
        return End.TIME
    if repetitions < sampling.check_after_processes[-1]:
        return None
    return End.PROCESSES if interval is not None else End.FEW
