"""Projection from a published latency to this device, this network and this precision.

Pure: it takes values and returns values.
"""

import math
from dataclasses import dataclass

from bench.bundle.variants import Precision
from bench.devices.projection.measured_rates import convolutions, gain_of_int8
from bench.devices.projection.projected import (
    ANOTHER_RUN,
    Factor,
    Measured,
    NoBasis,
    Projected,
    ProjectionTarget,
    between,
    projected,
)
from bench.devices.projection.publications import Basis, basis_for, is_of, speeds_of
from bench.devices.projection.scaling import Setting, Speeds, Work
from bench.measurements import Executed
from device_profiles.facts import multiplies_int8_fast

# Without an instruction for sums of int8 products, int8 is 1.0 to 1.5 times as fast as fp32.
ISA_RULE = (1.0, 1.5)
# Four 8-bit products instead of one 32-bit product: Arm's SDOT, x86's VPDPBUSD.
_GAIN_OF_INSTRUCTIONS = 4.0
_MEGA, _GIGA = 1e6, 1e9
_BYTES_OF_FP32 = 4
# The bounds of a step between networks hold for networks. A model of so much less or more work is none, and
# what it takes is decided by other things.
_FARTHEST = 1000.0


def from_published(case: Measured, target: ProjectionTarget) -> Projected | NoBasis:
    """Scale a published run of the runtime on this class of processor to device, network and precision."""
    device, speeds, work = target.device, speeds_of(target.device), _work_of(case.executed)
    assert device.processor is not None
    if speeds is None:
        reason = f"{device.name} was not calibrated in {case.runtime}, and has no peak rates to scale by"
        return NoBasis(reason=reason)
    basis = basis_for(
        device,
        case.runtime,
        case.there.value,
        target.threads,
        target.profiles,
        target.network,
        target.image_size,
    )
    if basis is None:
        reason = f"no published latency of {case.runtime} on this class of processor is known"
        return NoBasis(reason=f"{reason} ({device.processor.family})")
    if not is_of(basis.latency, target.network, target.image_size) and _is_too_far(basis.work, work):
        return NoBasis(
            reason=f"the model computes or moves {_FARTHEST:g} times less or more than "
            f"{basis.latency.network}, whose latency was published"
        )
    of_precision = _of_precision(basis, case, speeds, target)
    if of_precision is None and basis.latency.precision != case.there.value:
        published, precision = basis.latency.precision, case.there.value
        return NoBasis(
            reason=f"the published latency is of {published}, and the ratio of {precision} to it is unknown"
        )
    steps = (_of_device(basis, speeds, target), _of_network(basis, work, target), of_precision, ANOTHER_RUN)
    latency = basis.latency
    conditions = f"; {latency.conditions}" if latency.conditions else ""
    threads = "" if latency.threads is None else f" with {latency.threads} threads"
    return projected(
        f"published latency of {latency.runtime} {latency.network} {latency.image_size} "
        f"{latency.precision} on "
        f"{basis.profile.name}{threads}{conditions} ({latency.source})",
        latency.precision,
        latency.ms,
        [step for step in steps if step is not None],
    )


def _work_of(executed: Executed | None) -> Work:
    """Return how much an inference computes and moves, by its executed graph."""
    operators = () if executed is None else executed.operators
    macs, elements = (
        sum(operator.macs or 0 for operator in operators),
        sum(operator.elements or 0 for operator in operators),
    )
    return Work(macs / _GIGA, elements * _BYTES_OF_FP32 / _MEGA)


def _of_device(basis: Basis, speeds: Speeds, target: ProjectionTarget) -> Factor | None:
    """Scale the basis' own work from its device and threads to the target's."""
    precision, of_speeds = basis.latency.precision, speeds_of(basis.profile)
    assert of_speeds is not None
    of = Setting(basis.profile.name, of_speeds, _threads_of(basis), precision)
    to = Setting(target.device.name, speeds, target.threads, precision)
    if (of.device, of.threads) == (to.device, to.threads):
        return None
    value = target.scaling.ratio(basis.work, to, of)
    what = f"from {of.threads} threads of {of.device} to {to.threads} of {to.device}, by rates and bandwidth"
    return Factor(what=what, value=value, reach=math.exp(target.scaling.reach))


def _threads_of(basis: Basis) -> int:
    assert basis.profile.processor is not None
    return basis.latency.threads or basis.profile.processor.cores.value


def _of_network(basis: Basis, work: Work, target: ProjectionTarget) -> Factor | None:
    if is_of(basis.latency, target.network, target.image_size):
        return None  # the number of classes may differ
    return between_networks(basis.work, work)


def _is_too_far(of: Work, to: Work) -> bool:
    ratios = to.gmacs / of.gmacs, to.traffic_mb / of.traffic_mb
    return min(ratios) < 1 / _FARTHEST or max(ratios) > _FARTHEST


def between_networks(of: Work, to: Work) -> Factor:
    """Scale to another network: time grows by something between its multiply-accumulates and its bytes.

    `tests/benchmarks/projection_error.py` prints how far that holds for ncnn's YOLO at 640 and MobileNetV2.
    """
    by_macs, by_bytes = to.gmacs / of.gmacs, to.traffic_mb / of.traffic_mb
    value, reach = between(by_macs, by_bytes)
    what = f"another network: {by_macs:.2g}× by multiply-accumulates, {by_bytes:.2g}× by bytes"
    return Factor(what=what, value=value, reach=reach)


@dataclass(frozen=True)
class _PerFp32:
    """A precision's time ÷ that of fp32 on the device: the middle, the factor it may be wrong by, and why."""

    value: float
    reach: float
    why: str


def _of_precision(basis: Basis, case: Measured, speeds: Speeds, target: ProjectionTarget) -> Factor | None:
    """Scale from the basis' precision to the case's; None if they are equal, or the ratio is unknown."""
    of, to = Precision(basis.latency.precision), case.there
    if of is to:
        return None
    before, after = (_relative_to_fp32(precision, case, speeds, target) for precision in (of, to))
    if before is None or after is None:
        return None
    reach = math.exp(math.hypot(math.log(after.reach), math.log(before.reach)))
    reasons = "; ".join(factor.why for factor in (before, after) if factor.why)
    return Factor(what=f"{to.value} for {of.value}: {reasons}", value=after.value / before.value, reach=reach)


def _relative_to_fp32(
    precision: Precision, case: Measured, speeds: Speeds, target: ProjectionTarget
) -> _PerFp32 | None:
    """Return a precision's time ÷ that of fp32 on the device; None if it is unknown."""
    processor = target.device.processor
    assert processor is not None
    if precision is Precision.FP32:
        return _PerFp32(1.0, 1.0, "")
    if precision is Precision.FP16:
        gain = speeds.gmacs_per_s["fp16"] / speeds.gmacs_per_s["fp32"]
        return _PerFp32(*between(1 / gain, 1.0), f"fp16 is at most {gain:.2g} times as fast there")
    if not processor.multiplies_int8_fast:
        slow, fast = ISA_RULE
        why = f"the device has no int8 dot product, so int8 is {slow} to {fast} times as fast"
        return _PerFp32(*between(1 / slow, 1 / fast), why)
    here, gains = case.relative_to_fp32.get(Precision.INT8), _gains_of_int8(case, speeds, target)
    if here is None or gains is None:
        return None
    why = (
        f"{1 / here:.2g} times as fast on this host; {gains.by} int8 computes {gains.here:.2g} times as fast "
        f"as fp32 here, and {gains.there:.2g} times there"
    )
    return _PerFp32(*between(here, here * gains.here / gains.there), why)


@dataclass(frozen=True)
class _Gains:
    """The rate of int8 ÷ that of fp32 on this host and on the device, both determined in the same way."""

    here: float
    there: float
    by: str


def _gains_of_int8(case: Measured, speeds: Speeds, target: ProjectionTarget) -> _Gains | None:
    """Return both machines' gains: measured if the device's is, else what the instructions allow."""
    gain_here = gain_of_int8(convolutions(target.host_rates, case.runtime))
    gain_there = gain_of_int8(convolutions(target.device.rates, case.runtime))
    if gain_here is not None and gain_there is not None:
        return _Gains(gain_here, gain_there, "by measured convolutions")
    if "int8" not in speeds.gmacs_per_s:
        return None
    there = speeds.gmacs_per_s["int8"] / speeds.gmacs_per_s["fp32"]
    here = (
        _GAIN_OF_INSTRUCTIONS
        if multiplies_int8_fast(target.host_features)
        else math.sqrt(math.prod(ISA_RULE))
    )
    return _Gains(here, there, "by their instructions")
