"""What a check of two bundles is about, settled before anything is measured: cases, terms and images."""

from dataclasses import dataclass

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.manifest import Bundle
from bench.bundle.variants import Variant
from bench.devices.terms import Terms, terms_of
from bench.gate.evaluation import Side
from bench.gate.fitting import refuse_other_kind, selected
from bench.gate.options import CheckOptions
from bench.gate.paired_runs import sampling_of
from bench.harness.paired import Pair
from bench.harness.plan import Case, Plan, cases_of, providers_of, refuse_missing
from bench.report.measured_bundle import record_of
from bench.run.rows import reason_of
from bench.system.host import Host, cpus_for, read_host
from bench.system.memory_limit import find_cgroup
from device_profiles.profile import Profile

Key = tuple[str, str]


@dataclass(frozen=True)
class Job:
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
        return before is not None and after is not None and Pair(before, after).is_equal

    def is_skipped(self, key: Key) -> bool:
        """Tell whether a variant is taken for the same unmeasured."""
        return self.options.skip_equal and self.is_equal(key)


def prepare(candidate: Bundle, baseline: Bundle, profile: Profile, options: CheckOptions) -> Job:
    """Settle what is compared with what; raises what check_bundles says."""
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
    return Job(
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
        controls=(),
        sampling=sampling_of(profile.sampling),
        pack=(baseline.folder / baseline.manifest.pack.file.path).resolve(),
        pack_sha256=baseline.manifest.pack.file.sha256,
        images=baseline.manifest.pack.images,
        classes=len(baseline.manifest.model.classes),
        memory_cgroup=None if terms.memory_limit_bytes is None else find_cgroup(),
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
