"""`edgefit check` of two bundles: measures both, interleaved on this machine, and has the gate judge them."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from bench.bundle.manifest import Bundle
from bench.devices.terms import fewer_threads
from bench.gate import reasons
from bench.gate.bundle_job import BundleCheck, prepare
from bench.gate.document import Checked, Conditions
from bench.gate.findings import Finding, Quantity, Verdict
from bench.gate.judging import Compared, Side, Times, judge, needs_confirmation, suspected_regressions
from bench.gate.options import CheckOptions, Limits
from bench.gate.paired_runs import (
    MeasuredPair,
    PairedRuns,
    latency_ratio,
    load_ns,
    load_ratio,
    outcome_of,
    p50_ns,
)
from bench.harness.examination import Examiner
from bench.harness.journal_entries import Examined
from bench.harness.paired_blocks import PairedRunner
from bench.harness.worker_process import compile_runtimes, probe_confinement
from bench.measurements import Failed
from bench.progress import Progress
from bench.report.comparability import subject_differences
from bench.report.measured_bundle import record_of
from bench.run.machine_warnings import confinement_warnings, machine_warnings
from bench.system.state import read_state
from device_profiles.profile import Profile

_RATIOS = {Quantity.LATENCY: latency_ratio, Quantity.LOAD_TIME: load_ratio}
_LEVELS = {Quantity.LATENCY: p50_ns, Quantity.LOAD_TIME: load_ns}


def check_bundles(
    candidate: Bundle,
    baseline: Bundle,
    profile: Profile,
    options: CheckOptions,
    progress: Progress,
    tool: str,
    created: str,
) -> Checked:
    """Compare a candidate bundle with a baseline bundle on this machine.

    Raises InputError if their classes or input shapes differ, or for an unknown variant. Raises
    MissingRuntimeError if a variant named in `only` has no runtime here.
    """
    check = prepare(candidate, baseline, profile, options)
    heat = profile.heat if check.terms.provenance == "measured" else None
    warnings = [
        *machine_warnings(check.host, read_state(), heat),
        *fewer_threads(check.terms, check.host),
    ]
    compile_runtimes(
        case.format for case in (*check.baseline_cases.values(), *check.candidate_cases.values())
    )
    confinement = probe_confinement()
    warnings += confinement_warnings(confinement)
    runs = PairedRuns(
        run_repetition=PairedRunner(check.plan, progress).run_repetition,
        examine_case=Examiner(check.plan, check.host, created).examine,
        progress=progress,
        seconds=options.seconds,
        blocks=check.plan.sampling.blocks,
    )
    measured = {pair.id: pair for pair in runs.examine(check.pairs())}
    findings = _measure(check, measured, runs)
    return Checked(
        tool=tool,
        created=created,
        compared="bundles",
        baseline=record_of(baseline),
        candidate=record_of(candidate),
        conditions=Conditions(
            host=check.host,
            profile=profile.name,
            provenance=check.terms.provenance,
            options=check.run_options,
            confinement=confinement,
        ),
        limits=options.limits,
        strict=options.strict,
        findings=findings,
        notes=tuple(_notes(check)),
        warnings=tuple(warnings),
        raw=tuple(
            repetition for pair in measured.values() for repetition in (*pair.repetitions, *pair.confirmation)
        ),
    )


def _measure(
    check: BundleCheck, measured: Mapping[str, MeasuredPair], runs: PairedRuns
) -> tuple[Finding, ...]:
    """Time all pairs, then confirm the suspected regressions. Return the final findings."""
    limits = check.options.limits
    judged = partial(_findings, check, measured)
    runs.time(list(measured.values()), lambda pair: _is_decided_or_suspected(judged(), pair, limits))
    suspected = suspected_regressions(judged(), limits)
    runs.confirm_memory(
        measured[finding.case] for finding in suspected if finding.quantity is Quantity.MEMORY
    )
    for pair in measured.values():
        pair.suspected = _quantities_to_confirm(suspected, pair, runs)
    slow = [pair for pair in measured.values() if pair.suspected]
    runs.time_confirmation(slow, lambda pair: _is_decided(judged(), pair, pair.suspected))
    return judged()


def _quantities_to_confirm(
    suspected: Sequence[Finding], pair: MeasuredPair, runs: PairedRuns
) -> frozenset[Quantity]:
    """Return the times of a pair that a confirmation run measures again: all suspected ones, or none."""
    times = [finding for finding in suspected if finding.case == pair.id and finding.quantity in _RATIOS]
    is_needed = any(
        needs_confirmation(
            finding, _RATIOS[finding.quantity](pair.repetitions), runs.confirmation_processes(pair)
        )
        for finding in times
    )
    return frozenset(finding.quantity for finding in times) if is_needed else frozenset()


def _is_decided_or_suspected(findings: Sequence[Finding], pair: MeasuredPair, limits: Limits) -> bool:
    """Tell whether the first run of a pair may end: its latency is decided, or a suspected regression."""
    is_suspected = any(
        finding.case == pair.id and finding.quantity is Quantity.LATENCY
        for finding in suspected_regressions(findings, limits)
    )
    return is_suspected or _is_decided(findings, pair, frozenset({Quantity.LATENCY}))


def _is_decided(findings: Sequence[Finding], pair: MeasuredPair, quantities: frozenset[Quantity]) -> bool:
    return all(
        finding.verdict is not Verdict.UNDECIDED
        for finding in findings
        if finding.case == pair.id and finding.quantity in quantities
    )


def _findings(check: BundleCheck, measured: Mapping[str, MeasuredPair]) -> tuple[Finding, ...]:
    compared = [_compared(check, case, measured.get(case)) for case in check.case_ids]
    return judge(compared, check.options.limits)


def _compared(check: BundleCheck, case: str, pair: MeasuredPair | None) -> Compared:
    compared = partial(Compared, *check.variant_and_provider(case))
    if check.is_skipped(case):
        same = Side("completed")
        return compared(same, same, are_equal_files=True)
    if pair is None:
        return compared(*check.unpaired_sides(case))
    return compared(
        _side(pair, is_candidate=False),
        _side(pair, is_candidate=True),
        latency=times_of(pair, Quantity.LATENCY),
        load_time=times_of(pair, Quantity.LOAD_TIME),
        labels=check.pack.labels.astype(np.int64),
        memory_confirmed=bool(pair.confirmation_peaks),
    )


def _side(pair: MeasuredPair, is_candidate: bool) -> Side:
    entry = pair.candidate if is_candidate else pair.baseline
    case = pair.pair.candidate if is_candidate else pair.pair.baseline
    ended = outcome_of(entry)
    if isinstance(entry, Examined):
        logits = None if entry.logits is None else np.asarray(entry.logits, dtype=np.float32)
        return Side("completed", None, case.size_bytes, pair.peaks_bytes(is_candidate), logits)
    if isinstance(ended, Failed):
        return Side("failed", ended.reason)
    return Side("skipped", None if ended is None else ended.reason)


def times_of(pair: MeasuredPair, quantity: Quantity) -> Times | None:
    """Return the two sides' times. None if nothing was timed, or if one side does not run any more."""
    repetitions = pair.repetitions_for(quantity)
    if not repetitions or not pair.runs:
        return None
    level_of = _LEVELS[quantity]
    return Times(
        baseline_ns=level_of(repetition.baseline for repetition in repetitions),
        candidate_ns=level_of(repetition.candidate for repetition in repetitions),
        ratio=_RATIOS[quantity](repetitions) or reasons.dropped(len(repetitions)),
        confirmed=quantity in pair.suspected,
    )


def _notes(check: BundleCheck) -> list[str]:
    before, after = record_of(check.baseline), record_of(check.candidate)
    notes = subject_differences(after, before)
    if after.pack_sha256 != before.pack_sha256:
        notes.append(
            "the bundles have different evaluation images: both sides answered the baseline's "
            f"{len(check.pack)} images"
        )
    equal = [case for case in check.case_ids if check.is_equal(case)]
    if equal and not check.options.skip_equal:
        files = (
            "all files are" if len(equal) == len(check.case_ids) else f"the files of {', '.join(equal)} are"
        )
        notes.append(f"{files} the same, byte for byte, on both sides; --skip-equal skips their measurement")
    return notes
