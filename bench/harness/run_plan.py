"""Runs a plan: examination, latency, energy, then the sustained run; returns each case's outcome."""

import time
from collections.abc import Sequence
from functools import partial

from bench.harness.case_worker import CaseEndedError
from bench.harness.energy_pass import Clock, measure_energy
from bench.harness.examination import Examiner
from bench.harness.interleaving import InterleavedRunner
from bench.harness.journal import Journal
from bench.harness.journal_entries import Ended, EnergyMeasured, Grouped, JournalState
from bench.harness.plan import Case, Plan, split_into_groups
from bench.harness.sustained import run_sustained
from bench.harness.timed_outputs import ExpectedOutputs
from bench.harness.unchanged_files import FilesOfCase, unless_changed
from bench.measurements import Completed, End, NoEnergy, Outcome, Skipped
from bench.progress import Progress
from bench.system.host import Host
from bench.system.power import find_meter
from bench.system.state import read_state

# A group may use half of the free memory. The rest is for the file cache and other programs.
_SHARE_OF_FREE_MEMORY = 0.5

Outcomes = dict[str, Outcome]


def measure(
    plan: Plan, host: Host, available_bytes: int, journal: Journal, progress: Progress, created: str
) -> Outcomes:
    """Return every case's outcome by its id.

    What is in the journal already is not measured again. `available_bytes` is the memory that was free before
    the run, `created` the time of the run (ISO 8601).
    """
    files = {case.id: FilesOfCase.of(case) for case in plan.cases}
    free_bytes = int(available_bytes * _SHARE_OF_FREE_MEMORY)
    Examiner(plan, host, created, progress).examine_all(journal, free_bytes)
    runner = InterleavedRunner(plan, journal, progress, time.sleep, partial(read_state, watch_s=0.1))
    groups = _groups(plan, journal, available_bytes)
    of_all = sum(map(len, groups))
    for number, cases in enumerate(groups):
        runner.time_group(number, cases, plan.group_seconds(len(cases), of_all))
    _measure_energies(plan, journal, progress)
    if plan.sustained_s is not None:
        _run_all_sustained(plan, plan.sustained_s, journal, progress)
    outcomes = {case.id: outcome_of(case, journal.state) for case in plan.all_cases}
    return outcomes | {case: unless_changed(outcomes[case], files[case]) for case in files}


def _running_cases(plan: Plan, state: JournalState) -> list[Case]:
    """Return the artifacts' cases that were examined and have not ended early."""
    return [case for case in plan.cases if case.id in state.examined and case.id not in state.ended]


def _expected(case: Case, state: JournalState) -> ExpectedOutputs | None:
    """Return what a case's timed inferences have to give."""
    return ExpectedOutputs.of(case, state.examined.get(case.id))


def _groups(plan: Plan, journal: Journal, available_bytes: int) -> Sequence[Sequence[Case]]:
    """Return the groups in the journal; if there are none, those that fit into memory with the controls."""
    if journal.state.groups is None:
        peaks = {
            case_id: examined.memory.highest_bytes + (examined.memory.device_bytes or 0)
            for case_id, examined in journal.state.examined.items()
        }
        free_bytes = int(available_bytes * _SHARE_OF_FREE_MEMORY)
        free_bytes -= sum(peaks.get(control.id, 0) for control in plan.controls)
        groups = split_into_groups(_running_cases(plan, journal.state), peaks, free_bytes)
        journal.add(Grouped(groups=tuple(tuple(case.id for case in group) for group in groups)))
    cases = {case.id: case for case in plan.cases}
    return [[cases[case_id] for case_id in group] for group in journal.state.groups or ()]


def _measure_energies(plan: Plan, journal: Journal, progress: Progress) -> None:
    meter = find_meter()
    cases = [case for case in _running_cases(plan, journal.state) if case.id not in journal.state.energy]
    progress.begin("energy", len(cases))
    for case in cases:
        try:
            energy = measure_energy(case, plan, meter, Clock(), _expected(case, journal.state))
            journal.add(EnergyMeasured(case=case.id, energy=energy))
        except CaseEndedError as error:
            journal.add(Ended(case=case.id, outcome=error.outcome))
        journal.sync()
        progress.advance(note=case.id)


def _run_all_sustained(plan: Plan, seconds: float, journal: Journal, progress: Progress) -> None:
    for case in _running_cases(plan, journal.state):
        if case.id in journal.state.sustained:
            continue
        try:
            expected = _expected(case, journal.state)
            run_sustained(case, plan, seconds, journal, progress, expected)
        except CaseEndedError as error:
            journal.add(Ended(case=case.id, outcome=error.outcome))
            journal.sync()


def outcome_of(case: Case, state: JournalState) -> Outcome:
    """Return the outcome of a case."""
    if case.id in state.ended:
        return state.ended[case.id]
    processes = state.measured(case.id)
    if not processes:
        return Skipped(reason="no variant was left to measure beside it")
    examined = state.examined[case.id]
    timed = {(process.group, process.repetition) for process in processes}
    return Completed(
        runtime=examined.runtime,
        processes=tuple(processes),
        ended=state.sampling_ended.get(case.id, End.GROUP),
        memory=examined.memory,
        logits=examined.logits,
        outputs=examined.outputs,
        inputs_sha256=examined.inputs_sha256,
        executed=examined.executed,
        proof_failure=examined.proof_failure,
        predictions_cached_at=examined.predictions_cached_at,
        energy=state.energy.get(case.id, NoEnergy(reason="the energy of a control is not measured")),
        sustained=state.sustained.get(case.id),
        groups=len(state.groups or ()),
        repeats=examined.repeats,
        telemetry=tuple(
            repetition
            for repetition in state.repetition_states
            if (repetition.group, repetition.repetition) in timed
        ),
    )
