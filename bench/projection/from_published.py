"""Projection from a latency that somebody published: to this device, this network and this precision.

Pure: values in, values out.
"""

import math
from collections.abc import Sequence

from bench.measurements import Executed
from bench.projection.publications import Basis, basis_for, speeds_of
from bench.projection.records import (
    ANOTHER_RUN,
    Factor,
    Measured,
    NoBasis,
    Projected,
    Target,
    between,
    projected,
)
from bench.projection.scaling import Cell, Speeds, Work
from bench.variants import Precision
from device_profiles.facts import Rate
from device_profiles.profile import Profile

# No instruction for sums of int8 products: expect int8 to be 1.0 to 1.5 times as fast as fp32.
ISA_RULE = (1.0, 1.5)
_MEGA, _GIGA = 1e6, 1e9
_BYTES_OF_FP32 = 4


def from_published(case: Measured, target: Target) -> Projected | NoBasis:
    """Scale a published run of the runtime on this class of processor to device, network and precision."""
    device, speeds, work = target.device, speeds_of(target.device), _work_of(case.executed)
    assert device.processor is not None
    if speeds is None:
        reason = f"{device.name} was not calibrated in {case.runtime}, and has no peak rates to scale by"
        return NoBasis(reason=reason)
    basis = basis_for(
        device, case.runtime, case.there.value, target.profiles, target.network, target.image_size
    )
    if basis is None:
        reason = f"nobody is known to have published {case.runtime} on this class of processor"
        return NoBasis(reason=f"{reason} ({device.processor.family})")
    of_precision = _of_precision(basis, case, speeds, target)
    if of_precision is None and basis.latency.precision != case.there.value:
        published, wanted = basis.latency.precision, case.there.value
        return NoBasis(
            reason=f"published is {published}, and nothing here tells what {wanted} takes beside it"
        )
    steps = (_of_device(basis, speeds, target), _of_network(basis, work), of_precision, ANOTHER_RUN)
    latency = basis.latency
    return projected(
        f"{latency.runtime} {latency.network} {latency.image_size} {latency.precision} on "
        f"{basis.profile.name}: {latency.source}",
        latency.ms,
        [step for step in steps if step is not None],
    )


def _work_of(executed: Executed | None) -> Work:
    """Return what an inference computes and moves, by its executed graph."""
    operators = () if executed is None else executed.operators
    macs, elements = sum(one.macs or 0 for one in operators), sum(one.elements or 0 for one in operators)
    return Work(macs / _GIGA, elements * _BYTES_OF_FP32 / _MEGA)


def _of_device(basis: Basis, speeds: Speeds, target: Target) -> Factor | None:
    """Scale the basis' own work from its device and threads to the target's."""
    of = _cell(basis.profile, basis.latency.precision, _threads_of(basis))
    to = Cell(target.device.name, speeds, target.threads, basis.latency.precision, 1.0)
    if (of.device, of.threads) == (to.device, to.threads):
        return None
    value = target.scaling.ratio(basis.work, to, of)
    what = f"from {of.threads} threads of {of.device} to {to.threads} of {to.device}, by rates and bandwidth"
    return Factor(what=what, value=value, reach=math.exp(target.scaling.reach))


def _cell(profile: Profile, precision: str, threads: int) -> Cell:
    speeds = speeds_of(profile)
    assert speeds is not None
    return Cell(profile.name, speeds, threads, precision, 1.0)


def _threads_of(basis: Basis) -> int:
    assert basis.profile.processor is not None
    return basis.latency.threads or basis.profile.processor.cores.value


def _of_network(basis: Basis, work: Work) -> Factor | None:
    """Scale to another network: time grows by something between its multiply-accumulates and its bytes.

    ncnn's published latencies of MobileNetV2 at 224 and of YOLO at 640 differ by 0.12 (Pi 5), 0.15 (Pi 4 and
    AGX Orin) and 0.14 (Orin Nano), between 0.07 to 0.09 by multiply-accumulates and 0.4 by bytes.
    """
    by_macs, by_bytes = work.gmacs / basis.work.gmacs, work.traffic_mb / basis.work.traffic_mb
    value, reach = between(by_macs, by_bytes)
    if abs(math.log(value)) + math.log(reach) < math.log(ANOTHER_RUN.reach):
        return None
    what = f"another network: {by_macs:.2g}× by multiply-accumulates, {by_bytes:.2g}× by bytes"
    return Factor(what=what, value=value, reach=reach)


def _of_precision(basis: Basis, case: Measured, speeds: Speeds, target: Target) -> Factor | None:
    """Scale from the basis' precision to the case's; None where they are one, or nothing tells how."""
    of, to = Precision(basis.latency.precision), case.there
    if of is to:
        return None
    before, after = (_per_fp32(precision, case, speeds, target) for precision in (of, to))
    if before is None or after is None:
        return None
    value, reach = after[0] / before[0], math.exp(math.hypot(math.log(after[1]), math.log(before[1])))
    sentences = [one[2] for one in (before, after) if one[2]]
    return Factor(what=f"{to.value} for {of.value}: {'; '.join(sentences)}", value=value, reach=reach)


def _per_fp32(
    precision: Precision, case: Measured, speeds: Speeds, target: Target
) -> tuple[float, float, str] | None:
    """Return a precision's time ÷ fp32's on the device: the middle, its reach, and the reason."""
    processor = target.device.processor
    assert processor is not None
    if precision is Precision.FP32:
        return 1.0, 1.0, ""
    if precision is Precision.FP16:
        gain = speeds.gmacs_per_s["fp16"] / speeds.gmacs_per_s["fp32"]
        return *between(1 / gain, 1.0), f"half is at most {gain:.2g} times as fast there"
    if not processor.multiplies_int8_fast:
        slow, fast = ISA_RULE
        sentence = f"no int8 dot product there, so {slow} to {fast} times as fast"
        return *between(1 / slow, 1 / fast), sentence
    here, gain_here = case.per_fp32.get(Precision.INT8), _gain_of_host(target.host_rates, case)
    if here is None or gain_here is None:
        return None
    gain_there = speeds.gmacs_per_s["int8"] / speeds.gmacs_per_s["fp32"]
    sentence = (
        f"{1 / here:.2g} times as fast on this host, where int8 computes {gain_here:.2g} times as fast as "
        f"fp32, and {gain_there:.2g} times there"
    )
    return *between(here, here * gain_here / gain_there), sentence


def _gain_of_host(rates: Sequence[Rate], case: Measured) -> float | None:
    """Return int8's rate ÷ fp32's of convolutions on this host, in the case's runtime if it was measured."""
    convolutions = [rate for rate in rates if rate.of == "convolution"]
    own = [rate for rate in convolutions if (rate.runtime or "").startswith(case.runtime)]
    found = {rate.precision: rate.value for rate in own or convolutions}
    return found["int8"] / found["fp32"] if {"int8", "fp32"} <= found.keys() else None
