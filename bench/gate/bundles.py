"""`edgefit check` of two bundles: they take turns on this machine, and the gate judges what came of it."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from bench.bundle.manifest import Bundle
from bench.devices.terms import fewer_threads
from bench.gate import reasons
from bench.gate.bundle_job import Job, Key, prepare
from bench.gate.document import Checked, Conditions, PairedTimes
from bench.gate.evaluation import Compared, Side, Times, is_worth_confirming, judge, suspects
from bench.gate.findings import Finding, Limits, Quantity, Verdict
from bench.gate.fitting import notes_of
from bench.gate.options import CheckOptions
from bench.gate.paired_runs import (
    Measured,
    SideBySide,
    latency_ratio,
    load_ms,
    load_ratio,
    outcome_of,
    p50_ms,
)
from bench.harness.examination import Examiner
from bench.harness.journal_entries import Examined
from bench.harness.paired import Pair, PairedRunner
from bench.harness.worker_process import ask_confinement, compile_runtimes
from bench.measurements import Failed
from bench.progress import Progress
from bench.report.measured_bundle import record_of
from bench.run.machine_warnings import confinement_warnings, machine_warnings
from bench.run.rows import reason_of
from bench.system.state import read_state
from device_profiles.profile import Profile

_RATIOS = {Quantity.LATENCY: latency_ratio, Quantity.LOAD_TIME: load_ratio}
_LEVELS = {Quantity.LATENCY: p50_ms, Quantity.LOAD_TIME: load_ms}


def check_bundles(
    candidate: Bundle,
    baseline: Bundle,
    profile: Profile,
    options: CheckOptions,
    progress: Progress,
    tool: str,
    created: str,
) -> Checked:
    """Hold a candidate bundle against a baseline bundle on this machine.

    Raises InputError if they are of other classes or input shape, or for an unknown variant, and
    MissingRuntimeError if a variant named in `only` has no runtime here.
    """
    job = prepare(candidate, baseline, profile, options)
    heat = profile.heat if job.terms.provenance == "measured" else None
    warnings = [*machine_warnings(job.host, read_state(), heat), *fewer_threads(job.terms, job.host)]
    compile_runtimes(case.format for case in (*job.baseline_cases.values(), *job.candidate_cases.values()))
    confinement = ask_confinement()
    warnings += confinement_warnings(confinement)
    stage = SideBySide(
        run_repetition=PairedRunner(job.plan, progress).run_repetition,
        examine_case=Examiner(job.plan, job.host, created).examine,
        progress=progress,
        seconds=options.seconds,
        blocks=job.plan.sampling.blocks,
    )
    pairs = [
        Pair(job.baseline_cases[key], job.candidate_cases[key])
        for key in job.keys
        if key in job.baseline_cases and key in job.candidate_cases and not job.is_skipped(key)
    ]
    measured = {_key_of(one.pair): one for one in stage.examine(pairs)}
    findings = _measure(job, measured, stage)
    threads = job.plan.cases[0].threads if job.plan.cases else job.terms.threads
    return Checked(
        tool=tool,
        created=created,
        compared="bundles",
        baseline=record_of(baseline),
        candidate=record_of(candidate),
        conditions=Conditions(
            host=job.host,
            profile=profile.name,
            provenance=job.terms.provenance,
            threads=threads,
            confinement=confinement,
        ),
        limits=options.limits,
        strict=options.strict,
        findings=findings,
        notes=tuple(_notes(job)),
        warnings=tuple(warnings),
        raw=tuple(times for one in measured.values() for times in _raw(one)),
    )


def _measure(job: Job, measured: dict[Key, Measured], stage: SideBySide) -> tuple[Finding, ...]:
    """Time all pairs, and again those that are suspected; return what the gate says in the end."""
    look = partial(_findings, job, measured)
    timed = list(measured.values())
    stage.time(timed, lambda one: _is_done(look(), one, job.options.limits))
    found = suspects(look(), job.options.limits)
    stage.confirm_memory(measured[one.case] for one in found if one.quantity is Quantity.MEMORY)
    for case, one in measured.items():
        times = [each for each in found if each.case == case and each.quantity in _RATIOS]
        if any(
            is_worth_confirming(
                each, _RATIOS[each.quantity](one.repetitions), stage.confirmation_processes(one)
            )
            for each in times
        ):
            one.suspected = frozenset(each.quantity for each in times)
    slow = [one for one in timed if one.suspected]
    stage.time_confirmation(slow, lambda one: _is_decided(look(), one, one.suspected))
    return look()


def _is_done(findings: Sequence[Finding], one: Measured, limits: Limits) -> bool:
    """Tell whether a first look needs no more: its latency is decided, or suspected."""
    latency = frozenset({Quantity.LATENCY})
    suspected = (found for found in suspects(findings, limits) if found.quantity is Quantity.LATENCY)
    return _is_decided(findings, one, latency) or any(found.case == _key_of(one.pair) for found in suspected)


def _is_decided(findings: Sequence[Finding], one: Measured, quantities: frozenset[Quantity]) -> bool:
    found = [each for each in findings if each.case == _key_of(one.pair) and each.quantity in quantities]
    return all(each.verdict is not Verdict.UNDECIDED for each in found)


def _key_of(pair: Pair) -> Key:
    return pair.baseline.variant, pair.baseline.provider


def _findings(job: Job, measured: dict[Key, Measured]) -> tuple[Finding, ...]:
    return judge([_compared(job, key, measured.get(key)) for key in job.keys], job.options.limits)


def _compared(job: Job, key: Key, one: Measured | None) -> Compared:
    compared = partial(Compared, key[0], key[1])
    if job.is_skipped(key):
        same = Side("completed")
        return compared(same, same, are_equal_files=True)
    if one is None:
        return compared(job.side_unmeasured(key, False), job.side_unmeasured(key, True))
    return compared(
        _side(one, is_candidate=False),
        _side(one, is_candidate=True),
        latency=times_of(one, Quantity.LATENCY),
        load_time=times_of(one, Quantity.LOAD_TIME),
        labels=job.pack.labels.astype(np.int64),
        memory_confirmed=bool(one.confirmation_peaks),
    )


def _side(one: Measured, is_candidate: bool) -> Side:
    entry = one.candidate if is_candidate else one.baseline
    case = one.pair.candidate if is_candidate else one.pair.baseline
    ended = outcome_of(entry)
    if isinstance(entry, Examined):
        logits = None if entry.logits is None else np.asarray(entry.logits, dtype=np.float32)
        return Side("completed", None, case.size_bytes, one.peaks_bytes(is_candidate), logits)
    if isinstance(ended, Failed):
        return Side("failed", reason_of(ended))
    return Side("skipped", None if ended is None else ended.reason)


def times_of(one: Measured, quantity: Quantity) -> Times | None:
    """Return the two sides' times for the gate; None if nothing was timed, or one side runs no longer."""
    repetitions = one.repetitions_for(quantity)
    if not repetitions or not one.runs:
        return None
    level_of = _LEVELS[quantity]
    return Times(
        baseline_ms=level_of(found.baseline for found in repetitions),
        candidate_ms=level_of(found.candidate for found in repetitions),
        ratio=_RATIOS[quantity](repetitions) or reasons.given_up(len(repetitions)),
        confirmed=quantity in one.suspected,
    )


def _notes(job: Job) -> list[str]:
    before, after = record_of(job.baseline), record_of(job.candidate)
    notes = notes_of(after, before)
    if after.pack_sha256 != before.pack_sha256:
        notes.append(
            f"the bundles hold different evaluation images: both answered the baseline's {len(job.pack)}"
        )
    equal = [key[0] for key in job.keys if job.is_equal(key)]
    if equal and not job.options.skip_equal:
        every = "all files are" if len(equal) == len(job.keys) else f"the files of {', '.join(equal)} are"
        notes.append(f"{every} the same, byte for byte, on both sides; --skip-equal would not measure them")
    return notes


def _raw(one: Measured) -> list[PairedTimes]:
    case = one.pair.baseline
    return [
        PairedTimes(
            variant=case.variant,
            provider=case.provider,
            confirmation=is_confirmation,
            baseline=tuple(found.baseline for found in repetitions),
            candidate=tuple(found.candidate for found in repetitions),
        )
        for is_confirmation, repetitions in ((False, one.repetitions), (True, one.confirmation))
        if repetitions
    ]
