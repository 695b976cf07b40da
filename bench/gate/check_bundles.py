"""`edgefit check` of two bundles: which of their variants are compared, and on which images."""

import os

import numpy as np

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.manifest import Bundle
from bench.bundle.variants import Variant
from bench.devices.terms import Terms, run_options, terms_of
from bench.errors import InputError
from bench.gate.check_job import CheckJob, FailedCase
from bench.gate.class_reasons import ClassNames
from bench.gate.document import Checked
from bench.gate.judging_outputs import evaluated_inputs
from bench.gate.options import CheckOptions, Limits
from bench.gate.paired_runs import sampling_of
from bench.gate.side_by_side import check_side_by_side
from bench.harness.plan import (
    Case,
    Plan,
    cases_of,
    planned_evaluation,
    providers_of,
    refuse_missing,
)
from bench.progress import Progress
from bench.report.comparability import (
    OutputShapes,
    require_same_answers,
    require_same_task,
    require_same_values,
    subject_differences,
)
from bench.report.measured_bundle import record_of
from bench.report.schema import BundleRecord
from bench.runtimes.providers import case_id
from bench.system.cpus import cpus_for
from bench.system.host import read_host
from bench.system.memory_limit import find_cgroup
from bench.system.thread_variables import set_variables
from device_profiles.profile import Profile


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

    Raises InputError if their classes, inputs or judged outputs differ, or for an unknown variant. Raises
    MissingRuntimeError if a variant named in `only` has no runtime here.
    """
    return check_side_by_side(planned(candidate, baseline, profile, options), progress, tool, created)


def planned(candidate: Bundle, baseline: Bundle, profile: Profile, options: CheckOptions) -> CheckJob:
    """Settle which cases are compared, and how. Raises the errors of check_bundles."""
    require_same_task(record_of(candidate), record_of(baseline))
    require_same_answers(record_of(candidate), record_of(baseline))
    pack = baseline.pack()
    shapes = _output_shapes(candidate, baseline, pack)
    require_same_values(record_of(candidate), record_of(baseline), shapes)
    bundles = (baseline, candidate)
    variants = options.selected(name for bundle in bundles for name in _variants(bundle))
    artifacts = {
        bundle.folder: [record for record in bundle.manifest.artifacts if record.variant in variants]
        for bundle in bundles
    }
    if options.only:
        refuse_missing(record for bundle in bundles for record in artifacts[bundle.folder])
    has_accuracy = pack.labels is not None and record_of(baseline).output.kind != "values"
    _refuse_idle_limits(options.limits, record_of(baseline), has_accuracy)
    host = read_host()
    terms = terms_of(profile, host)
    variables = set_variables(os.environ, options.keep_environment)
    common = run_options(terms, host, variables)
    cpus, images = cpus_for(common.threads), planned_evaluation(baseline, pack)
    cases = {
        bundle.folder: cases_of(bundle, artifacts[bundle.folder], profile, terms, common, cpus, images)
        for bundle in bundles
    }
    known = record_of(baseline)
    return CheckJob(
        compared="bundles",
        candidate=record_of(candidate),
        baseline=known,
        profile=profile,
        options=options,
        host=host,
        terms=terms,
        run_options=common,
        variables=variables,
        plan=_plan(profile, terms, cases[baseline.folder]),
        baseline_cases={case.id: case for case in cases[baseline.folder]},
        candidate_cases={case.id: case for case in cases[candidate.folder]},
        baseline_failed=_failed_cases(baseline, profile, variants),
        candidate_failed=_failed_cases(candidate, profile, variants),
        labels=pack.labels.astype(np.int64) if has_accuracy and pack.labels is not None else None,
        class_names=ClassNames(known.classes, baseline.manifest.pack.positive_class, known.output.kind),
        inputs=None if has_accuracy else evaluated_inputs(len(pack), record_of(baseline).pack_sha256),
        notes=tuple(_differences(candidate, baseline, len(pack))),
    )


def _output_shapes(candidate: Bundle, baseline: Bundle, pack: EvaluationPack) -> OutputShapes:
    """Return the shapes of both judged outputs: the axes of values where both are known, else the counts.

    `pack`: the baseline's.
    """
    after, before = _axes_of_values(candidate), _axes_of_values(baseline)
    if after is not None and before is not None:
        return OutputShapes(after, before)
    return OutputShapes(candidate.pack().reference_logits.shape[1:], pack.reference_logits.shape[1:])


def _axes_of_values(bundle: Bundle) -> tuple[int, ...] | None:
    """Return the axes of an output without classes; None for classes, and where an axis is open."""
    source = bundle.manifest.model.source
    if source is None or source.output.kind != "values":
        return None
    shape = source.signature.outputs[source.output.index].shape
    if not shape:
        return None
    item = shape[1:] if isinstance(shape[0], str) else shape  # an open first axis is the batch, of one
    # Formats add and drop axes of size 1.
    sizes = tuple(size for size in item if isinstance(size, int) and size != 1)
    return None if any(isinstance(size, str) for size in item) else sizes or (1,)


def _refuse_idle_limits(limits: Limits, baseline: BundleRecord, has_accuracy: bool) -> None:
    """Raise InputError for a limit that would do nothing: of accuracy where there is none, or of outputs."""
    usual = Limits()
    if has_accuracy and limits.min_sqnr_db != usual.min_sqnr_db:
        raise InputError(
            f"--min-sqnr: it applies where there is no accuracy, and '{baseline.name}' has labels; "
            "leave it out, or give --min-retention"
        )
    if not has_accuracy and limits.min_retention != usual.min_retention:
        raise InputError(
            f"--min-retention: '{baseline.name}' has no accuracy, because it has no labels or no classes; "
            "leave it out, or give --min-agreement or --min-sqnr"
        )


def _plan(profile: Profile, terms: Terms, cases: tuple[Case, ...]) -> Plan:
    """Return how both sides are examined and timed."""
    return Plan(
        cases=cases,
        controls=(),
        sampling=sampling_of(profile.sampling),
        memory_cgroup=None if terms.memory_limit_bytes is None else find_cgroup(),
    )


def _variants(bundle: Bundle) -> list[str]:
    manifest = bundle.manifest
    return [
        *(record.variant for record in manifest.artifacts),
        *(missing.variant for missing in manifest.missing),
    ]


def _failed_cases(bundle: Bundle, profile: Profile, variants: set[str]) -> dict[str, FailedCase]:
    """Return the variants that a bundle does not have, by the ids that their cases would have."""
    return {
        case_id(missing.variant, provider): FailedCase(missing.variant, provider, missing.reason)
        for missing in bundle.manifest.missing
        if missing.variant in variants
        for provider in providers_of(profile, Variant.parse(missing.variant).format)
    }


def _differences(candidate: Bundle, baseline: Bundle, images: int) -> list[str]:
    before, after = record_of(baseline), record_of(candidate)
    differences = subject_differences(after, before)
    if after.pack_sha256 != before.pack_sha256:
        differences.append(
            "the bundles have different evaluation images: both sides answered the baseline's "
            f"{images} images"
        )
    return differences
