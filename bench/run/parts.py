"""What one report of a run is about: a bundle or model files, their cases, and what they are evaluated on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bench.bundle.manifest import ArtifactRecord, Bundle
from bench.bundle.model_set import ModelSetRecord, NetworkCounts
from bench.devices.terms import Terms
from bench.errors import InputError
from bench.harness.plan import (
    Case,
    cases_of,
    cases_of_models,
    planned_evaluation,
    refuse_missing,
)
from bench.report.measured_bundle import evaluation_of, record_of
from bench.report.schema import BundleRecord, Evaluation
from bench.run.model_set import ModelSet
from bench.run.network_counts import counts_of_bundle, counts_of_models
from bench.run.request import QUICK_IMAGES, BenchmarkRequest
from bench.run_config import RunOptions
from device_profiles.profile import Profile


@dataclass(frozen=True)
class MeasuredSubject:
    """A bundle or model files that are measured, and what they are called."""

    subject: Bundle | ModelSet
    """The bundle, or the model files."""
    network: str = ""
    """What a bundle is called that takes turns with others; empty for one that is measured alone."""


@dataclass(frozen=True)
class Networks:
    """Bundles and model files that take turns in one run."""

    measured: tuple[MeasuredSubject, ...]
    """Each of them, in the order of their reports."""


@dataclass(frozen=True)
class ReportPart:
    """What one report of a run is about."""

    measured: MeasuredSubject
    """What is measured."""
    cases: tuple[Case, ...]
    """Its cases."""
    evaluation: Evaluation | None
    """The labels and reference answers of a bundle's images; None for model files."""
    counts: NetworkCounts | None = None
    """What was counted in a bundle's network; None unless networks are compared."""
    model_counts: Mapping[str, NetworkCounts] = field(default_factory=dict)
    """What was counted in model files, by their names; empty unless networks are compared."""

    @property
    def bundle(self) -> Bundle | None:
        """The bundle; None if model files are measured."""
        return self.measured.subject if isinstance(self.measured.subject, Bundle) else None

    @property
    def models(self) -> ModelSet | None:
        """The model files; None if a bundle is measured."""
        return self.measured.subject if isinstance(self.measured.subject, ModelSet) else None

    @property
    def name(self) -> str:
        """What its report is called, unless the request names it."""
        subject = self.measured.subject
        own = subject.manifest.name if isinstance(subject, Bundle) else subject.record.name
        return self.measured.network or own

    @property
    def bundle_record(self) -> BundleRecord | None:
        """What the report says of the bundle."""
        if self.bundle is None:
            return None
        return record_of(self.bundle).model_copy(update={"counts": self.counts})

    @property
    def models_record(self) -> ModelSetRecord | None:
        """What the report says of the model files."""
        if self.models is None:
            return None
        record = self.models.record
        counted = (
            model.model_copy(update={"counts": self.model_counts.get(model.name)}) for model in record.models
        )
        return record.model_copy(update={"models": tuple(counted)})


def artifacts_to_measure(bundle: Bundle, only: Sequence[str], is_here: bool = True) -> list[ArtifactRecord]:
    """Return the artifacts of a bundle that `only` names; all of them if it is empty.

    Raises InputError if there is none. Raises MissingRuntimeError if one that is named has no runtime here,
    where they are measured unless `is_here` says otherwise.
    """
    artifacts = bundle.select(only)
    if not artifacts:
        raise InputError(f"{bundle.folder} has no artifact, because no export succeeded; export it again")
    if only and is_here:
        refuse_missing(artifacts)
    return artifacts


def part_of(
    measured: MeasuredSubject,
    profile: Profile,
    terms: Terms,
    options: RunOptions,
    cpus: tuple[int, ...] | None,
    request: BenchmarkRequest,
    is_joint: bool,
) -> ReportPart:
    """Return what one report is about. `is_joint`: whether other networks are compared with it."""
    subject = measured.subject
    if not isinstance(subject, Bundle):
        cases = cases_of_models(subject.models, profile, terms, options, cpus)
        return ReportPart(measured, cases, None, model_counts=counts_of_models(subject) if is_joint else {})
    artifacts = artifacts_to_measure(subject, request.only)
    pack = subject.pack()
    evaluated = pack.first(QUICK_IMAGES) if request.quick else pack
    images = planned_evaluation(subject, evaluated)
    cases = cases_of(subject, artifacts, profile, terms, options, cpus, images, request.excluded_formats)
    evaluation = evaluation_of(subject, evaluated, len(pack), is_hashed=is_joint)
    named = tuple(replace(case, network=measured.network) for case in cases)
    counts = counts_of_bundle(subject, artifacts) if is_joint else None
    return ReportPart(measured, named, evaluation, counts)
