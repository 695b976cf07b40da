"""Runs a plan: every case is examined on its own, then timed in turns with the others of its wave.

It knows the order of the passes, and makes of what they found each case's outcome.
"""

import time
from collections.abc import Sequence
from functools import partial

from bench.harness.case_worker import CaseEndedError
from bench.harness.energy_pass import Clock, energy_of
from bench.harness.examination import Examiner
from bench.harness.interleaving import InterleavedRunner
from bench.harness.journal import Journal
from bench.harness.journal_entries import Ended, EnergyFound, Findings, Grouped, SustainedFound
from bench.harness.plan import Case, Plan, groups
from bench.harness.sustained import sustain
from bench.measurements import Completed, End, NoEnergy, Outcome, Skipped
from bench.progress import Progress
from bench.system.host import Host
from bench.system.power import find_meter
from bench.system.state import read_state

# Waves may fill half of what is free: the rest is for the file cache and for whoever else works here.
_SHARE_OF_FREE_MEMORY = 0.5

Outcomes = dict[str, Outcome]


def measure(
    plan: Plan, host: Host, available_bytes: int, journal: Journal, progress: Progress, created: str
) -> Outcomes:
    """Return every case's outcome by its key; `available_bytes` is the memory free when it begins.

    What the journal holds already is not measured again. `created`: the time of this run, ISO 8601.
    """
    Examiner(plan, host, created).examine_all(journal, progress)
    blocks_run = InterleavedRunner(plan, journal, progress, time.sleep, partial(read_state, watch_s=0.1))
    for number, group in enumerate(_groups(plan, journal, available_bytes)):
        blocks_run.time_group(number, group)
    _measure_energy(plan, journal, progress)
    if plan.sustained_s is not None:
        _sustain(plan, plan.sustained_s, journal, progress)
    return {case.key: outcome_of(case, journal.found) for case in plan.everything}


def _alive(plan: Plan, found: Findings) -> list[Case]:
    return [case for case in plan.cases if case.key in found.examined and case.key not in found.ended]


def _groups(plan: Plan, journal: Journal, available_bytes: int) -> Sequence[Sequence[Case]]:
    """Return the waves as the journal holds them, else as they fit into memory beside the companions."""
    if journal.found.groups is None:
        peaks = {
            key: found.memory.highest_bytes + (found.memory.device_bytes or 0)
            for key, found in journal.found.examined.items()
        }
        room = int(available_bytes * _SHARE_OF_FREE_MEMORY)
        room -= sum(peaks.get(control.key, 0) for control in plan.controls)
        grouped = groups(_alive(plan, journal.found), peaks, room)
        journal.add(Grouped(groups=tuple(tuple(case.key for case in group) for group in grouped)))
    cases = {case.key: case for case in plan.cases}
    return [[cases[key] for key in group] for group in journal.found.groups or ()]


def _measure_energy(plan: Plan, journal: Journal, progress: Progress) -> None:
    meter = find_meter()
    cases = [case for case in _alive(plan, journal.found) if case.key not in journal.found.energy]
    progress.begin("energy", len(cases))
    for case in cases:
        try:
            energy = energy_of(case, plan, meter, Clock())
            journal.add(EnergyFound(case=case.key, energy=energy))
        except CaseEndedError as error:
            journal.add(Ended(case=case.key, outcome=error.outcome))
        progress.advance(note=case.key)


def _sustain(plan: Plan, seconds: float, journal: Journal, progress: Progress) -> None:
    for case in _alive(plan, journal.found):
        if case.key in journal.found.sustained:
            continue
        try:
            run = sustain(case, plan, seconds, progress)
            journal.add(SustainedFound(case=case.key, run=run))
        except CaseEndedError as error:
            journal.add(Ended(case=case.key, outcome=error.outcome))


def outcome_of(case: Case, found: Findings) -> Outcome:
    """Return what became of a case."""
    key = case.key
    if key in found.ended:
        return found.ended[key]
    processes = found.measured(key)
    if not processes:
        return Skipped(reason="no artifact was alive to take turns with")
    examined = found.examined[key]
    timed = {(process.group, process.repetition) for process in processes}
    return Completed(
        runtime=examined.runtime,
        processes=tuple(processes),
        ended=found.stopped.get(key, End.GROUP),
        memory=examined.memory,
        logits=examined.logits,
        executed=examined.executed,
        predictions_cached_at=examined.predictions_cached_at,
        energy=found.energy.get(key, NoEnergy(reason="not measured: it is no artifact")),
        sustained=found.sustained.get(key),
        groups=len(found.groups or ()),
        telemetry=tuple(state for state in found.states if (state.group, state.repetition) in timed),
    )
