"""`edgefit check` of two bundles: they take turns on this machine, and the gate judges what came of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from bench.bundle import Bundle
from bench.check.fitting import notes_of, refuse_other_kind, selected
from bench.check.options import CheckOptions
from bench.check.side_by_side import (
    Measured,
    SideBySide,
    latency_ratio,
    load_ms,
    load_ratio,
    outcome_of,
    p50_ms,
    sampling_of,
)
from bench.decide.checked import Checked, Conditions, DuelTimes
from bench.decide.findings import Finding, Limits, Quantity, Verdict
from bench.decide.gate import Compared, Side, Times, judge, suspects
from bench.evaluation_pack import EvaluationPack
from bench.harness.doubts import doubts_of
from bench.harness.duels import Duels, Pair, Round
from bench.harness.examination import Examiner
from bench.harness.findings import Examined
from bench.harness.plan import Case, Plan, cases_of, providers_of, refuse_missing
from bench.machine.host import Host, cpus_for, read_host
from bench.machine.memory_group import find_control
from bench.machine.state import read_state
from bench.measurements import Failed, ProcessTiming
from bench.progress import Progress
from bench.reports.bundles import record_of
from bench.rows import reason_of
from bench.standing.terms import Terms, fewer_threads, terms_of
from bench.statistics.replication import Estimate
from bench.variants import Variant
from device_profiles.profile import Profile

Key = tuple[str, str]
_TIMES = frozenset({Quantity.LATENCY, Quantity.LOAD_TIME})


@dataclass(frozen=True)
class _Job:
    """Everything that is settled before anything is measured; cases by variant and provider."""

    candidate: Bundle
    baseline: Bundle
    profile: Profile
    options: CheckOptions
    host: Host
    terms: Terms
    pack: EvaluationPack
    plan: Plan
    baseline_cases: dict[Key, Case]
    candidate_cases: dict[Key, Case]
    failed: dict[bool, dict[Key, str]]

    @property
    def keys(self) -> list[Key]:
        """Every variant and provider that one side has or should have, the baseline's order first."""
        known = [*self.baseline_cases, *self.candidate_cases, *self.failed[False], *self.failed[True]]
        return list(dict.fromkeys(known))

    def side_unmeasured(self, key: Key, is_candidate: bool) -> Side | None:
        """Return what is known of a side that has no partner to be measured with."""
        cases = self.candidate_cases if is_candidate else self.baseline_cases
        if key in cases:
            return Side("completed")
        reason = self.failed[is_candidate].get(key)
        return None if reason is None else Side("failed", reason)

    def is_equal(self, key: Key) -> bool:
        """Tell whether both sides' files are the same, byte for byte."""
        before, after = self.baseline_cases.get(key), self.candidate_cases.get(key)
        return before is not None and after is not None and before.digest == after.digest

    def is_skipped(self, key: Key) -> bool:
        """Tell whether a variant is taken for the same unmeasured."""
        return self.options.skip_equal and self.is_equal(key)


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
    job = _prepare(candidate, baseline, profile, options)
    warnings = [*doubts_of(job.host, read_state(), profile.heat), *fewer_threads(job.terms, job.host)]
    stage = SideBySide(
        fight=Duels(job.plan, progress).fight,
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
        of="bundles",
        baseline=record_of(baseline),
        candidate=record_of(candidate),
        conditions=Conditions(
            host=job.host, profile=profile.name, standing=job.terms.standing, threads=threads
        ),
        limits=options.limits,
        strict=options.strict,
        findings=findings,
        notes=tuple(_notes(job)),
        warnings=tuple(warnings),
        raw=tuple(times for one in measured.values() for times in _raw(one)),
    )


def _measure(job: _Job, measured: dict[Key, Measured], stage: SideBySide) -> tuple[Finding, ...]:
    """Time all pairs, and again those that are suspected; return what the gate says in the end."""
    look = partial(_findings, job, measured)
    timed = list(measured.values())
    stage.time(timed, lambda one: _is_done(look(), one, job.options.limits))
    found = suspects(look(), job.options.limits)
    stage.examine_memory_again(measured[one.case] for one in found if one.quantity is Quantity.MEMORY)
    for case, one in measured.items():
        one.suspected = frozenset(each.quantity for each in found if each.case == case) & _TIMES
    slow = [one for one in timed if one.suspected]
    stage.time_again(slow, lambda one: _is_decided(look(), one, one.suspected))
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


def _findings(job: _Job, measured: dict[Key, Measured]) -> tuple[Finding, ...]:
    return judge([_compared(job, key, measured.get(key)) for key in job.keys], job.options.limits)


def _compared(job: _Job, key: Key, one: Measured | None) -> Compared:
    compared = partial(Compared, key[0], key[1])
    if job.is_skipped(key):
        same = Side("completed")
        return compared(same, same, are_equal_files=True)
    if one is None:
        return compared(job.side_unmeasured(key, False), job.side_unmeasured(key, True))
    return compared(
        _side(one, is_candidate=False),
        _side(one, is_candidate=True),
        latency=_times(one, Quantity.LATENCY, latency_ratio, p50_ms),
        load_time=_times(one, Quantity.LOAD_TIME, load_ratio, load_ms),
        labels=job.pack.labels.astype(np.int64),
        memory_looked_again=bool(one.fresh_peaks),
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


def _times(
    one: Measured,
    quantity: Quantity,
    ratio_of: Callable[[Sequence[Round]], Estimate | None],
    level_of: Callable[[Iterable[ProcessTiming]], float],
) -> Times | None:
    rounds = one.rounds_for(quantity)
    if not rounds or not one.runs:
        return None
    return Times(
        baseline_ms=level_of(found.baseline for found in rounds),
        candidate_ms=level_of(found.candidate for found in rounds),
        ratio=ratio_of(rounds) or f"{len(rounds)} processes of each are too few for an interval",
        looked_again=quantity in one.suspected,
    )


def _prepare(candidate: Bundle, baseline: Bundle, profile: Profile, options: CheckOptions) -> _Job:
    refuse_other_kind(record_of(candidate), record_of(baseline))
    bundles = (baseline, candidate)
    known = [name for bundle in bundles for name in _names(bundle)]
    wanted = selected(options.only, known)
    artifacts = {
        bundle.folder: [one for one in bundle.manifest.artifacts if one.variant in wanted]
        for bundle in bundles
    }
    if options.only:
        refuse_missing(one for bundle in bundles for one in artifacts[bundle.folder])
    host = read_host()
    terms = terms_of(profile, host)
    threads = min(terms.threads, host.usable_cpus)
    cases = {
        bundle.folder: cases_of(bundle, artifacts[bundle.folder], profile, terms, threads, cpus_for(threads))
        for bundle in bundles
    }
    return _Job(
        candidate=candidate,
        baseline=baseline,
        profile=profile,
        options=options,
        host=host,
        terms=terms,
        pack=baseline.pack(),
        plan=_plan(baseline, profile, terms, cases[baseline.folder]),
        baseline_cases={(case.variant, case.provider): case for case in cases[baseline.folder]},
        candidate_cases={(case.variant, case.provider): case for case in cases[candidate.folder]},
        failed={
            False: _failed_exports(baseline, profile, wanted),
            True: _failed_exports(candidate, profile, wanted),
        },
    )


def _plan(baseline: Bundle, profile: Profile, terms: Terms, cases: tuple[Case, ...]) -> Plan:
    """Return what both sides are examined and timed by: the baseline's images judge both."""
    return Plan(
        cases=cases,
        companions=(),
        sampling=sampling_of(profile.sampling),
        pack=(baseline.folder / baseline.manifest.pack.file.path).resolve(),
        pack_sha256=baseline.manifest.pack.file.sha256,
        images=baseline.manifest.pack.images,
        classes=len(baseline.manifest.model.classes),
        memory_control=None if terms.memory_limit_bytes is None else find_control(),
    )


def _names(bundle: Bundle) -> list[str]:
    manifest = bundle.manifest
    return [one.variant for one in manifest.artifacts] + [one.variant for one in manifest.failed]


def _failed_exports(bundle: Bundle, profile: Profile, wanted: set[str]) -> dict[Key, str]:
    """Return why each variant that export could not make is not there, by the cases it would have been."""
    return {
        (one.variant, provider): reason_of(one)
        for one in bundle.manifest.failed
        if one.variant in wanted
        for provider in providers_of(profile, Variant.parse(one.variant).format)
    }


def _notes(job: _Job) -> list[str]:
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


def _raw(one: Measured) -> list[DuelTimes]:
    case = one.pair.baseline
    return [
        DuelTimes(
            variant=case.variant,
            provider=case.provider,
            fresh=is_fresh,
            baseline=tuple(found.baseline for found in rounds),
            candidate=tuple(found.candidate for found in rounds),
        )
        for is_fresh, rounds in ((False, one.rounds), (True, one.fresh))
        if rounds
    ]
