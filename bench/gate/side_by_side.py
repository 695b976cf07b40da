"""Measures both sides of a check, interleaved on this machine, and has the gate judge them."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from bench.devices.terms import fewer_threads
from bench.gate import reasons
from bench.gate.check_job import CheckJob
from bench.gate.document import Checked, Conditions
from bench.gate.findings import Finding, Quantity
from bench.gate.judging import Compared, Side, grown_memory, judge, notes_on_classes
from bench.gate.judging_outputs import notes_on_outputs
from bench.gate.judging_times import Times, judge_all_times, open_cases
from bench.gate.multiplicity import PAIRED
from bench.gate.options import Limits
from bench.gate.paired_runs import (
    MeasuredPair,
    PairedRuns,
    latency_ratio,
    load_ns,
    load_ratio,
    outcome_of,
    p50_ns,
)
from bench.harness.alone import alone
from bench.harness.examination import Examiner
from bench.harness.journal_entries import Examined
from bench.harness.paired_blocks import PairedRunner
from bench.harness.timed_outputs import ExpectedOutputs
from bench.harness.unchanged_files import FilesOfCase, refuse_changed
from bench.harness.worker_process import compile_runtimes, probe_confinement
from bench.measurements import Failed
from bench.progress import Progress
from bench.report.outputs import judged_outputs
from bench.report.predictions import as_values
from bench.run.machine_warnings import (
    confinement_warnings,
    machine_warnings,
    pinning_warnings,
    standstill_warnings,
    throttled_between,
    throttled_warning,
)
from bench.run.row_warnings import repeat_warnings
from bench.system.cpu_limit import read_throttling
from bench.system.state import read_state
from bench.system.thread_variables import sentence_on_cleared

_RATIOS = {Quantity.LATENCY: latency_ratio, Quantity.LOAD_TIME: load_ratio}
_LEVELS = {Quantity.LATENCY: p50_ns, Quantity.LOAD_TIME: load_ns}


def check_side_by_side(job: CheckJob, progress: Progress, tool: str, created: str) -> Checked:
    """Compare a candidate with a baseline on this machine, once no other command measures there."""
    with alone(progress):
        return _check(job, progress, tool, created)


def _check(job: CheckJob, progress: Progress, tool: str, created: str) -> Checked:
    heat = job.profile.heat if job.terms.provenance == "measured" else None
    state = read_state()
    warnings = [
        *machine_warnings(job.host, state, heat),
        *pinning_warnings(job.host, job.variables),
        *fewer_threads(job.terms, job.host),
    ]
    compile_runtimes(case.format for case in (*job.baseline_cases.values(), *job.candidate_cases.values()))
    if cleared := sentence_on_cleared(job.variables):
        progress.say(cleared)
    confinement = probe_confinement()
    warnings += confinement_warnings(confinement)
    examiner = Examiner(job.plan, job.host, created, progress)
    runs = PairedRuns(
        run_repetition=PairedRunner(job.plan).run_repetition,
        examine_case=examiner.examine,
        examine_memory=examiner.examine_memory,
        expect=ExpectedOutputs.of,
        progress=progress,
        seconds=job.options.seconds,
    )
    files = [FilesOfCase.of(case) for pair in job.pairs() for case in (pair.baseline, pair.candidate)]
    measured = {pair.id: pair for pair in runs.examine(job.pairs())}
    findings = _measure(job, measured, runs)
    refuse_changed(files)
    if stopped := throttled_between(state.throttling, read_throttling()):
        warnings.append(throttled_warning(stopped))
    return Checked(
        tool=tool,
        created=created,
        compared=job.compared,
        baseline=job.baseline,
        candidate=job.candidate,
        conditions=Conditions(
            host=job.host,
            profile=job.profile.name,
            provenance=job.terms.provenance,
            options=job.run_options,
            confinement=confinement,
            variables=job.variables,
        ),
        limits=job.options.limits,
        strict=job.options.strict,
        findings=findings,
        notes=(
            *job.notes,
            *_notes_on_equal_files(job),
            *notes_on_outputs(findings, job.inputs),
            *notes_on_classes(_all_compared(job, measured), job.options.limits),
        ),
        warnings=(*warnings, *process_warnings(measured.values())),
        raw=tuple(repetition for pair in measured.values() for repetition in pair.repetitions),
    )


def _measure(job: CheckJob, measured: Mapping[str, MeasuredPair], runs: PairedRuns) -> tuple[Finding, ...]:
    """Time all pairs, then measure suspected memory again. Return the final findings."""
    runs.time(list(measured.values()), lambda: _open_cases(measured, job.options.limits))
    suspected = grown_memory(_findings(job, measured))
    runs.confirm_memory(measured[finding.case] for finding in suspected)
    return _findings(job, measured)


def _open_cases(measured: Mapping[str, MeasuredPair], limits: Limits) -> dict[str, bool]:
    """Return the cases that need more processes, and whether each seems to be worse."""
    times = {
        (pair.id, quantity): time
        for pair in measured.values()
        for quantity in _RATIOS
        if (time := times_of(pair, quantity)) is not None
    }
    return open_cases(judge_all_times(times, limits, PAIRED), limits)


def _findings(job: CheckJob, measured: Mapping[str, MeasuredPair]) -> tuple[Finding, ...]:
    return judge(_all_compared(job, measured), job.options.limits, PAIRED)


def _all_compared(job: CheckJob, measured: Mapping[str, MeasuredPair]) -> list[Compared]:
    return [_compared(job, case, measured.get(case)) for case in job.case_ids]


def _compared(job: CheckJob, case: str, pair: MeasuredPair | None) -> Compared:
    compared = partial(Compared, *job.variant_and_provider(case))
    if job.is_skipped(case):
        same = Side("completed")
        return compared(same, same, are_equal_files=True)
    if pair is None:
        return compared(*job.unpaired_sides(case))
    return compared(
        _side(job, pair, is_candidate=False),
        _side(job, pair, is_candidate=True),
        latency=times_of(pair, Quantity.LATENCY),
        load_time=times_of(pair, Quantity.LOAD_TIME),
        labels="no labels" if job.labels is None else job.labels,
        output=job.output,
        class_names=job.class_names,
        inputs=job.inputs,
        memory_confirmed=bool(pair.peaks),
    )


def _side(job: CheckJob, pair: MeasuredPair, is_candidate: bool) -> Side:
    entry = pair.candidate if is_candidate else pair.baseline
    case = pair.pair.candidate if is_candidate else pair.pair.baseline
    ended = outcome_of(entry)
    if isinstance(entry, Examined):
        side = partial(Side, "completed", None, case.size_bytes, pair.peaks_bytes(is_candidate))
        if entry.logits is None:
            return side(None, entry.outputs)
        if job.labels is None:
            return side(None, judged_outputs(as_values(entry.logits), job.output))
        return side(as_values(entry.logits))
    if isinstance(ended, Failed):
        return Side("failed", ended.reason)
    return Side("skipped", None if ended is None else ended.reason)


def times_of(pair: MeasuredPair, quantity: Quantity) -> Times | None:
    """Return the two sides' times. None if nothing was timed, or if one side does not run any more."""
    repetitions = pair.repetitions
    if not repetitions or not pair.runs:
        return None
    level_of = _LEVELS[quantity]
    return Times(
        baseline_ns=level_of(repetition.baseline for repetition in repetitions),
        candidate_ns=level_of(repetition.candidate for repetition in repetitions),
        ratio=_RATIOS[quantity](repetitions) or reasons.dropped(len(repetitions)),
        processes=len(repetitions),
    )


def process_warnings(measured: Collection[MeasuredPair]) -> list[str]:
    """Return the warnings about processes: that were started again, stood still, or remember answers."""
    both = [
        side for pair in measured for each in pair.repetitions for side in (each.baseline, each.candidate)
    ]
    remembering = [
        f"{pair.id}: the {name}: {sentence}"
        for pair in measured
        for name, entry in (("baseline", pair.baseline), ("candidate", pair.candidate))
        if isinstance(entry, Examined)
        for sentence in repeat_warnings(entry.repeats)
    ]
    return [*retried_processes(measured), *standstill_warnings(both), *remembering]


def retried_processes(measured: Iterable[MeasuredPair]) -> list[str]:
    """Return a warning for each side of which processes failed, and ran when they were started again."""
    warnings = []
    for pair in measured:
        for is_candidate, name in ((False, "baseline"), (True, "candidate")):
            ends = [ended.outcome.reason for ended in pair.retried if ended.is_candidate is is_candidate]
            if ends and pair.runs:
                warnings.append(
                    f"{pair.id}: the {name} failed in {len(ends)} of {pair.processes} processes, and ran "
                    f"when started again ({ends[0]})"
                )
    return warnings


def _notes_on_equal_files(job: CheckJob) -> list[str]:
    equal = [case for case in job.case_ids if job.is_equal(case)]
    if not equal or job.options.skip_equal:
        return []
    files = "all files are" if len(equal) == len(job.case_ids) else f"the files of {', '.join(equal)} are"
    return [f"{files} the same, byte for byte, on both sides; --skip-equal skips their measurement"]
