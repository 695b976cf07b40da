"""What a check of two bundles compares, settled before anything is measured: cases, terms and images."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.manifest import Bundle
from bench.bundle.variants import Variant
from bench.devices.terms import Terms, run_options, terms_of
from bench.gate.judging import Side
from bench.gate.options import CheckOptions
from bench.gate.paired_runs import sampling_of
from bench.harness.paired_blocks import Pair
from bench.harness.plan import (
    Case,
    Plan,
    cases_of,
    planned_evaluation,
    providers_of,
    refuse_missing,
)
from bench.report.comparability import require_same_task
from bench.report.measured_bundle import record_of
from bench.run_config import RunOptions
from bench.runtimes.providers import case_id
from bench.system.host import Host, cpus_for, read_host
from bench.system.memory_limit import find_cgroup
from device_profiles.profile import Profile


@dataclass(frozen=True)
class FailedCase:
    """A case that one bundle does not have, because its export failed."""

    variant: str
    """Its variant."""
    provider: str
    """The provider that it would have run on."""
    reason: str
    """Why the export failed."""


@dataclass(frozen=True)
class BundleCheck:
    """A check of two bundles before it is measured. Cases are found by their ids."""

    candidate: Bundle
    """The bundle that is checked."""
    baseline: Bundle
    """The bundle that it is compared with."""
    profile: Profile
    """The device's profile."""
    options: CheckOptions
    """What the check is asked to do."""
    host: Host
    """This machine."""
    terms: Terms
    """The conditions of the measurement on this machine."""
    run_options: RunOptions
    """What every case has in common."""
    pack: EvaluationPack
    """The baseline's evaluation images, which both sides answer."""
    plan: Plan
    """How both sides are examined and timed."""
    baseline_cases: Mapping[str, Case]
    """The baseline's cases."""
    candidate_cases: Mapping[str, Case]
    """The candidate's cases."""
    baseline_failed: Mapping[str, FailedCase]
    """The cases whose export failed in the baseline."""
    candidate_failed: Mapping[str, FailedCase]
    """The cases whose export failed in the candidate."""

    @property
    def case_ids(self) -> list[str]:
        """Every case that one side has or should have, in the baseline's order first."""
        known = (self.baseline_cases, self.candidate_cases, self.baseline_failed, self.candidate_failed)
        return list(dict.fromkeys(case for cases in known for case in cases))

    def pairs(self) -> list[Pair]:
        """Return the pairs to measure."""
        return [
            Pair(self.baseline_cases[case], self.candidate_cases[case])
            for case in self.case_ids
            if case in self.baseline_cases and case in self.candidate_cases and not self.is_skipped(case)
        ]

    def unpaired_sides(self, case: str) -> tuple[Side | None, Side | None]:
        """Return the baseline's and the candidate's side of a case that the other one does not have."""
        return (
            _unpaired_side(case, self.baseline_cases, self.baseline_failed),
            _unpaired_side(case, self.candidate_cases, self.candidate_failed),
        )

    def variant_and_provider(self, case: str) -> tuple[str, str]:
        """Return a case's variant and provider."""
        known = self.baseline_cases.get(case) or self.candidate_cases.get(case)
        if known is not None:
            return known.variant, known.config.provider
        failed = self.baseline_failed.get(case) or self.candidate_failed[case]
        return failed.variant, failed.provider

    def is_equal(self, case: str) -> bool:
        """Tell whether both sides have the same files, byte for byte."""
        before, after = self.baseline_cases.get(case), self.candidate_cases.get(case)
        return before is not None and after is not None and Pair(before, after).is_equal

    def is_skipped(self, case: str) -> bool:
        """Tell whether a case is not measured because its files are equal."""
        return self.options.skip_equal and self.is_equal(case)


def _unpaired_side(case: str, cases: Mapping[str, Case], failed: Mapping[str, FailedCase]) -> Side | None:
    if case in cases:
        return Side("completed")
    return Side("failed", failed[case].reason) if case in failed else None


def prepare(candidate: Bundle, baseline: Bundle, profile: Profile, options: CheckOptions) -> BundleCheck:
    """Settle which cases are compared, and how. Raises the errors of check_bundles."""
    require_same_task(record_of(candidate), record_of(baseline))
    bundles = (baseline, candidate)
    variants = options.selected(name for bundle in bundles for name in _variants(bundle))
    artifacts = {
        bundle.folder: [record for record in bundle.manifest.artifacts if record.variant in variants]
        for bundle in bundles
    }
    if options.only:
        refuse_missing(record for bundle in bundles for record in artifacts[bundle.folder])
    host = read_host()
    terms = terms_of(profile, host)
    common = run_options(terms, host)
    cases = {
        bundle.folder: cases_of(
            bundle, artifacts[bundle.folder], profile, terms, common, cpus_for(common.threads)
        )
        for bundle in bundles
    }
    return BundleCheck(
        candidate=candidate,
        baseline=baseline,
        profile=profile,
        options=options,
        host=host,
        terms=terms,
        run_options=common,
        pack=baseline.pack(),
        plan=_plan(baseline, profile, terms, cases[baseline.folder]),
        baseline_cases={case.id: case for case in cases[baseline.folder]},
        candidate_cases={case.id: case for case in cases[candidate.folder]},
        baseline_failed=_failed_cases(baseline, profile, variants),
        candidate_failed=_failed_cases(candidate, profile, variants),
    )


def _plan(baseline: Bundle, profile: Profile, terms: Terms, cases: tuple[Case, ...]) -> Plan:
    """Return how both sides are examined and timed. Both answer the baseline's images."""
    return Plan(
        cases=cases,
        controls=(),
        sampling=sampling_of(profile.sampling),
        evaluation=planned_evaluation(baseline, baseline.manifest.pack.images),
        memory_cgroup=None if terms.memory_limit_bytes is None else find_cgroup(),
    )


def _variants(bundle: Bundle) -> list[str]:
    manifest = bundle.manifest
    return [
        *(record.variant for record in manifest.artifacts),
        *(export.variant for export in manifest.failed),
    ]


def _failed_cases(bundle: Bundle, profile: Profile, variants: set[str]) -> dict[str, FailedCase]:
    """Return the failed exports of a bundle, by the ids that their cases would have."""
    return {
        case_id(failed.variant, provider): FailedCase(failed.variant, provider, failed.reason)
        for failed in bundle.manifest.failed
        if failed.variant in variants
        for provider in providers_of(profile, Variant.parse(failed.variant).format)
    }
