"""Adds to a proxy's rows what they would take on the device itself, and what is published of it. Pure."""

from collections.abc import Mapping, Sequence

from bench.bundle.variants import Precision
from bench.devices.projection.from_published import ISA_RULE
from bench.devices.projection.projected import Measured, NoBasis, Projected, Target
from bench.devices.projection.projecting import project
from bench.devices.projection.publications import nearest_published
from bench.report.schema import Run
from bench.run.budget import projected_over_budget
from bench.runtimes.providers import place_of
from bench.runtimes.table import RuntimeRow, row_of
from device_profiles.facts import Processor

_CPU = "cpu"


def with_projections(runs: Sequence[Run], target: Target) -> tuple[Run, ...]:
    """Return the rows, those of variants with a projection or the reason for none, and the nearest figure."""
    ratios = _relative_to_fp32(runs)
    return tuple(_with_projection(run, target, ratios) if run.is_variant else run for run in runs)


def _with_projection(
    run: Run, target: Target, ratios: Mapping[tuple[str, str], dict[Precision, float]]
) -> Run:
    assert run.precision_ran is not None
    row, precision = row_of(run.format), run.precision_ran.requested
    place = place_of(run.provider)
    found = _project(run, row, place, target, ratios.get((run.format, run.provider), {}))
    # TensorRT runs on CUDA, and is published under its own name, whoever calls it.
    runtime, where = ("tensorrt", "cuda") if place == "tensorrt" else (row.needs, place)
    nearest = nearest_published(
        target.device, runtime, where, precision.value, target.network, target.image_size
    )
    changes = {
        "projected_ms": None if isinstance(found, NoBasis) else found,
        "projection_reason": found.reason if isinstance(found, NoBasis) else None,
        "nearest_published": nearest,
        "warnings": (
            *run.warnings,
            *([] if isinstance(found, NoBasis) else projected_over_budget(found, target.device.budget)),
            *_of_isa(run, precision, place, found, target),
        ),
    }
    return run.model_copy(update=changes)


def _project(
    run: Run, row: RuntimeRow, place: str, target: Target, relative_to_fp32: Mapping[Precision, float]
) -> Projected | NoBasis:
    assert run.precision_ran is not None
    processor = target.device.processor
    assert processor is not None
    if run.status != "completed" or run.raw is None or run.latency_ms is None:
        return NoBasis(reason=f"it was {run.status} here")
    if place != _CPU:
        return NoBasis(reason="only what runs on the CPU is projected")
    case = Measured(
        runtime=row.needs,
        ms=run.latency_ms.p50,
        there=_computed_there(row, run.precision_ran.requested, processor),
        executed=run.raw.executed,
        relative_to_fp32=relative_to_fp32,
    )
    return project(case, target)


def _computed_there(row: RuntimeRow, requested: Precision, processor: Processor) -> Precision:
    """Return in which precision the device computes what was asked to be in one: half only where it can."""
    if requested is Precision.FP16 and set(row.half_needs).isdisjoint(processor.features.value):
        return Precision.FP32
    return requested


def _of_isa(
    run: Run, precision: Precision, place: str, found: Projected | NoBasis, target: Target
) -> list[str]:
    """Say what an int8 row's gain will come to on a CPU without the instruction that makes it fast.

    Where somebody has published int8 of this runtime there, that says more.
    """
    if place != _CPU or (isinstance(found, Projected) and found.basis_precision == precision.value):
        return []
    processor = target.device.processor
    assert processor is not None
    if precision is not Precision.INT8 or run.status != "completed" or processor.multiplies_int8_fast:
        return []
    slow, fast = ISA_RULE
    sentence = (
        f"{target.device.name} has no int8 dot product: expect int8 to be {slow} to {fast} times as fast as "
        "fp32 there, whatever it gains here"
    )
    return [sentence]


def _relative_to_fp32(runs: Sequence[Run]) -> dict[tuple[str, str], dict[Precision, float]]:
    """Return latency ÷ fp32's by precision, of each format on each provider."""
    found: dict[tuple[str, str], dict[Precision, float]] = {}
    for run in runs:
        if run.precision_ran is not None and run.relative_to_fp32 is not None:
            ratios = found.setdefault((run.format, run.provider), {})
            ratios[run.precision_ran.requested] = run.relative_to_fp32
    return found
