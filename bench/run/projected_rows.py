"""Adds to a proxy's rows the projected latency on the device, and the nearest published figure. Pure."""

from collections.abc import Mapping, Sequence

from bench.bundle.variants import Precision
from bench.devices.projection.from_published import ISA_RULE
from bench.devices.projection.projected import Measured, NoBasis, Projected, ProjectionTarget
from bench.devices.projection.projecting import project
from bench.devices.projection.publications import nearest_published
from bench.report.schema import Run
from bench.run.budget_warnings import projected_over_budget
from bench.runtimes.formats import FormatRow
from bench.runtimes.installed import row_of
from bench.runtimes.providers import place_of
from bench.units import ms
from device_profiles.facts import Processor

_CPU = "cpu"
# A format, and the provider that it runs on.
_Group = tuple[str, str]
_Ratios = Mapping[Precision, float]


def with_projections(runs: Sequence[Run], target: ProjectionTarget) -> tuple[Run, ...]:
    """Return the rows. Variants get a projection or the reason for none, and the nearest published figure."""
    ratios = _relative_to_fp32(runs)
    return tuple(_with_projection(run, target, ratios) if run.is_variant else run for run in runs)


def _with_projection(run: Run, target: ProjectionTarget, ratios: Mapping[_Group, _Ratios]) -> Run:
    assert run.precision is not None
    row, place = row_of(run.format), place_of(run.config.provider)
    projection = _project(run, row, run.precision, place, target, ratios.get(_group_of(run), {}))
    # TensorRT runs on CUDA. Its figures are published under its own name, whichever runtime calls it.
    runtime, where = ("tensorrt", "cuda") if place == "tensorrt" else (row.needs, place)
    nearest = None
    if target.network:  # of an unknown network no figure is the nearest
        nearest = nearest_published(
            target.device, runtime, where, run.precision.value, target.network, target.image_size
        )
    changes = {
        "projection": projection,
        "nearest_published": nearest,
        "warnings": (
            *run.warnings,
            *(
                []
                if isinstance(projection, NoBasis)
                else projected_over_budget(projection, target.device.budget)
            ),
            *_of_isa(run, run.precision, place, projection, target),
        ),
    }
    return run.model_copy(update=changes)


def _project(
    run: Run, row: FormatRow, precision: Precision, place: str, target: ProjectionTarget, ratios: _Ratios
) -> Projected | NoBasis:
    processor = target.device.processor
    assert processor is not None
    if run.completed is None or run.summary is None:
        return NoBasis(reason=f"its status here is {run.status}")
    if place != _CPU:
        return NoBasis(reason="only rows that ran on the CPU are projected")
    case = Measured(
        runtime=row.needs,
        ms=ms(run.summary.latency.p50_ns),
        there=_computed_there(row, precision, processor),
        executed=run.completed.executed,
        relative_to_fp32=ratios,
    )
    return project(case, target)


def _computed_there(row: FormatRow, requested: Precision, processor: Processor) -> Precision:
    """Return the precision in which the device computes a requested one: half only where the CPU has it."""
    if requested is Precision.FP16 and set(row.half_needs).isdisjoint(processor.features.value):
        return Precision.FP32
    return requested


def _of_isa(
    run: Run, precision: Precision, place: str, projection: Projected | NoBasis, target: ProjectionTarget
) -> list[str]:
    """Return the gain to expect of int8 on a CPU without the instruction that makes it fast.

    It is left out where the projection is based on a published int8 figure of this device.
    """
    if place != _CPU or (isinstance(projection, Projected) and projection.basis_precision == precision.value):
        return []
    processor = target.device.processor
    assert processor is not None
    if precision is not Precision.INT8 or run.status != "completed" or processor.multiplies_int8_fast:
        return []
    slow, fast = ISA_RULE
    sentence = (
        f"{target.device.name} has no int8 dot product: expect int8 to be {slow} to {fast} times as fast as "
        "fp32 there, whatever the gain is here"
    )
    return [sentence]


def _group_of(run: Run) -> _Group:
    return run.format, run.config.provider


def _relative_to_fp32(runs: Sequence[Run]) -> dict[_Group, dict[Precision, float]]:
    """Return latency ÷ fp32's latency by precision, for each format on each provider."""
    ratios: dict[_Group, dict[Precision, float]] = {}
    for run in runs:
        relative = None if run.summary is None else run.summary.relative_to_fp32
        if run.precision is not None and relative is not None:
            ratios.setdefault(_group_of(run), {})[run.precision] = relative.ratio
    return ratios
