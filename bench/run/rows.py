"""Turns a case and its outcome into its row of the report. Pure: it measures nothing."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from bench.bundle.cpu_class import CpuClass, class_of
from bench.bundle.manifest import FailedExport
from bench.bundle.variants import Variant
from bench.devices.terms import Provenance
from bench.harness.plan import Case
from bench.measurements import Completed, Failed, Outcome, Skipped
from bench.report.schema import Evaluation, Failure, PrecisionRan, Raw, Run
from bench.report.summaries import References, summarise
from bench.run.budget import over_budget
from bench.run.row_warnings import row_warnings
from bench.run.verification_warnings import verification_warnings
from device_profiles.facts import Processor
from device_profiles.profile import Profile


def reason_of(failed: Failed | FailedExport) -> str:
    """Say in a line why a case, or a variant's export, failed."""
    if isinstance(failed, FailedExport):
        return f"its export failed in stage {failed.stage}: {_beginning(failed.message)}"
    return f"{failed.kind.value} in stage {failed.stage.value}: {_beginning(failed.message)}"


def _beginning(message: str) -> str:
    """Return a message's first line, and those that it announces: OpenVINO says where, with a colon."""
    said: list[str] = []
    for line in message.splitlines():
        said.append(line.strip())
        if not said[-1].endswith(":"):
            break
    return " ".join(said)


def row_of_failed_export(failed: FailedExport, provider: str, threads: int, provenance: Provenance) -> Run:
    """Return the row of a variant that export could not make: it was asked for, so it is in the report."""
    wanted = Variant.parse(failed.variant)
    return Run(
        variant=failed.variant,
        format=wanted.format,
        provider=provider,
        threads=threads,
        status="skipped",
        reason=reason_of(failed),
        provenance=provenance,
        precision_ran=PrecisionRan(requested=wanted.precision),
    )


def raw_of(outcome: Outcome) -> Raw | None:
    """Return a completed case's raw values as they stand in a report; None for any other."""
    if not isinstance(outcome, Completed):
        return None
    return Raw(
        processes=outcome.processes,
        ended=outcome.ended,
        memory=outcome.memory,
        logits=outcome.logits,
        executed=outcome.executed,
        energy=outcome.energy,
        sustained=outcome.sustained,
        telemetry=outcome.telemetry,
        groups=outcome.groups,
    )


def row_of_case(
    case: Case,
    outcome: Outcome,
    evaluation: Evaluation,
    profile: Profile,
    provenance: Provenance,
    quick: bool,
    references: References,
    cpu_class: CpuClass | None,
    run_warnings: Sequence[str] = (),
) -> Run:
    """Return the row of one case, whatever came of it.

    `quick`: whether the profile's short sampling was used; `cpu_class`: that of this machine; `run_warnings`:
    those that concern every row of the run.
    """
    row = partial(
        Run,
        variant=case.variant,
        format=case.format,
        provider=case.provider,
        threads=case.threads,
        status=outcome.status,
        provenance=provenance,
        size_bytes=case.size_bytes,
        precision_ran=None if case.precision is None else PrecisionRan(requested=case.precision),
    )
    match outcome:
        case Skipped(reason=reason):
            return row(reason=reason + (_remedy(case, profile) if provenance == "measured" else ""))
        case Failed(stage=stage, kind=kind, message=message):
            return row(
                reason=reason_of(outcome),
                failure=Failure(stage=stage, kind=kind, message=message),
            )
        case Completed():
            raw = raw_of(outcome)
            assert raw is not None
            summary = summarise(raw, case.precision, evaluation, references)
            warnings = list(run_warnings)
            sampling = profile.quick if quick else profile.sampling
            if case.is_judged:
                heat = profile.heat if provenance == "measured" else None
                warnings += row_warnings(
                    outcome, case.precision, sampling, quick, case.excluded_modules, heat
                )
                device = None if provenance == "measured" else profile.processor
                warnings += _of_verification(case, outcome, evaluation, cpu_class, device, profile.name)
                warnings += over_budget(summary, case.size_bytes, profile.budget, provenance)
            derived = {name: getattr(summary, name) for name in type(summary).model_fields}
            return row(
                runtime=outcome.runtime,
                raw=raw,
                predictions_cached_at=outcome.predictions_cached_at,
                warnings=tuple(warnings),
                **derived,
            )


def _of_verification(
    case: Case,
    outcome: Completed,
    evaluation: Evaluation,
    cpu_class: CpuClass | None,
    device: Processor | None,
    device_name: str,
) -> list[str]:
    """Say what the manifest warns of and what it does not cover.

    That is of this machine's CPU, or of the device's that it stands in for.
    """
    if case.artifact is None or outcome.logits is None:
        return []
    cpu = "this CPU"
    if device is not None:
        cpu_class, cpu = class_of(device.architecture, device.features.value), f"{device_name}'s CPU"
    logits = np.asarray(outcome.logits, dtype=np.float32)
    reference = np.asarray(evaluation.reference_logits, dtype=np.float32)
    uncovered = verification_warnings(case.artifact, case.provider, cpu_class, cpu, logits, reference)
    return [*case.artifact.warnings, *uncovered]


def _remedy(case: Case, profile: Profile) -> str:
    """Say what to install on this device for a runtime that it lacks, where its profile knows."""
    choice = profile.runtimes.get(case.format)  # type: ignore[call-overload]
    # An artifact that does not fit the device, or int8 for another CPU, lacks no runtime.
    if (
        choice is None
        or choice.install is None
        or case.incompatible_because is not None
        or case.engine is not None
    ):
        return ""
    return f"; on this device: {choice.install}"
