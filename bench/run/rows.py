"""Turns a case and its outcome into its row of the report. Pure: it measures nothing."""

from dataclasses import dataclass
from functools import partial

from bench.bundle.cpu_class import CpuClass, class_of
from bench.bundle.manifest import FailedExport, NotMade
from bench.bundle.variants import Precision, Variant
from bench.devices.terms import Provenance
from bench.harness.plan import Case
from bench.measurements import Completed, Outcome, Skipped
from bench.report.class_recall import Classes
from bench.report.predictions import Predictions
from bench.report.schema import BundleRecord, Evaluation, Run, Summary
from bench.report.summaries import References, summarise
from bench.run.budget_warnings import over_budget, retention_not_checked
from bench.run.lost_classes import lost_class_warnings
from bench.run.row_warnings import row_warnings
from bench.run.verification_warnings import class_warnings, value_warnings, verification_warnings
from bench.run_config import RunConfig
from bench.runtimes.providers import case_id
from device_profiles.profile import Profile
from device_profiles.settings import Sampling


def row_of_missing(missing: FailedExport | NotMade, config: RunConfig, provenance: Provenance) -> Run:
    """Return the row of a variant that the bundle does not have. It was requested, so the report has it."""
    variant = Variant.parse(missing.variant)
    return Run(
        case=case_id(missing.variant, config.provider),
        variant=missing.variant,
        format=variant.format,
        precision=variant.precision,
        config=config,
        provenance=provenance,
        outcome=Skipped(reason=missing.reason),
    )


@dataclass(frozen=True)
class RowContext:
    """What all rows of a run have in common."""

    evaluation: Evaluation | None
    """The labels and reference answers that accuracy is computed with; None for model files."""
    profile: Profile
    """The device's profile."""
    provenance: Provenance
    """Whether the device itself was measured, or a proxy."""
    quick: bool
    """Whether the profile's short sampling was used."""
    cpu_class: CpuClass | None
    """This machine's class of CPUs; None if its class is unknown."""
    warnings: tuple[str, ...] = ()
    """Warnings that concern every row of the run."""
    bundle: BundleRecord | None = None
    """The bundle that is measured; None for model files."""

    @property
    def sampling(self) -> Sampling:
        """How long the cases were measured."""
        return self.profile.quick if self.quick else self.profile.sampling


def row_of_case(case: Case, outcome: Outcome, context: RowContext, references: References) -> Run:
    """Return the row of a case, whatever its outcome is."""
    row = partial(
        Run,
        case=case.row,
        variant=case.variant,
        format=case.format,
        precision=case.precision,
        config=case.config,
        provenance=context.provenance,
        size_bytes=case.size_bytes,
    )
    if isinstance(outcome, Skipped) and context.provenance == "measured":
        return row(outcome=Skipped(reason=outcome.reason + _remedy(case, context.profile)))
    if not isinstance(outcome, Completed):
        return row(outcome=outcome)
    summary = summarise(outcome, case.precision, context.evaluation, references)
    warnings = _warnings(case, outcome, summary, context)
    return row(outcome=outcome, summary=summary, warnings=tuple(warnings))


def _warnings(case: Case, outcome: Completed, summary: Summary, context: RowContext) -> list[str]:
    """Return all warnings about a completed case."""
    if not case.is_artifact:
        return list(context.warnings)
    profile, provenance = context.profile, context.provenance
    heat = profile.heat if provenance == "measured" else None
    predictions = _predictions(outcome, context.evaluation)
    paired = None if predictions is None else predictions.paired
    # A model file has no recipe, nor has the user's own file in a bundle, which no exporter made.
    has_recipe = case.model is None and (case.artifact is None or case.artifact.method is not None)
    excluded_modules = case.excluded_modules if has_recipe or case.precision is Precision.FP32 else None
    return [
        *lost_class_warnings(Classes.of(context.bundle, context.evaluation, predictions), profile.budget),
        *context.warnings,
        *row_warnings(outcome, case.precision, context.sampling, context.quick, excluded_modules, heat),
        *_of_verification(case, outcome, summary, context),
        *retention_not_checked(context.evaluation, profile.budget),
        *over_budget(
            summary.latency,
            outcome.memory.highest_bytes,
            case.size_bytes,
            paired,
            profile.budget,
            provenance,
        ),
    ]


def _predictions(outcome: Completed, evaluation: Evaluation | None) -> Predictions | None:
    if outcome.logits is None or evaluation is None:
        return None
    return Predictions.of(outcome.logits, evaluation)


def _of_verification(case: Case, outcome: Completed, summary: Summary, context: RowContext) -> list[str]:
    """Return the manifest's warnings, and what its verification does not cover.

    The CPU in question is this machine's. For a proxy it is the device's.
    """
    artifact, figures = case.artifact, summary.accuracy
    if artifact is None:
        return []
    if figures is None:
        return list(artifact.warnings)
    cpu_class, cpu = context.cpu_class, "this CPU"
    device = None if context.provenance == "measured" else context.profile.processor
    if device is not None:
        cpu_class = class_of(device.architecture, device.features.value)
        cpu = f"{context.profile.name}'s CPU"
    provider, predictions = case.config.provider, _predictions(outcome, context.evaluation)
    if predictions is None:
        uncovered = class_warnings(artifact, provider, cpu_class, cpu)
        return [*artifact.warnings, *uncovered, *value_warnings(artifact, figures.sqnr_db)]
    uncovered = verification_warnings(artifact, provider, cpu_class, cpu, predictions)
    return [*artifact.warnings, *uncovered]


def _remedy(case: Case, profile: Profile) -> str:
    """Return what to install on this device for a missing runtime, where its profile says so."""
    choice = profile.runtimes.get(case.format)
    # Where the artifact does not suit the device, or its int8 suits another CPU, no runtime is missing.
    if (
        choice is None
        or choice.install is None
        or case.incompatible_because is not None
        or case.engine is not None
    ):
        return ""
    return f"; on this device: {choice.install}"
