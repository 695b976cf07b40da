"""What is derived from a row's raw values, by one function. Pure: it reads no file and no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import median
from typing import Literal

import numpy as np

from bench.bundle.variants import CONTROL_VARIANT, Precision, Variant
from bench.measurements import Block, End, Energy, Executed, ProcessTiming
from bench.record import Record
from bench.report.schema import (
    Accuracy,
    EnergyMj,
    Evaluation,
    Latency,
    MemoryMb,
    PrecisionRan,
    Raw,
    Retention,
    Sustained,
    SustainedPoint,
    UpperBounds,
)
from bench.statistics import accuracy, latency, precision, processes, steadiness

_NS_PER_MS = 1e6
_TWO_CLASSES = 2
_BYTES_PER_MIB = 1 << 20
_MJ_PER_J = 1e3


@dataclass(frozen=True)
class References:
    """What a row is compared with: the raw values of the control workload and the format's fp32."""

    control: Raw | None = None
    fp32: Raw | None = None

    @classmethod
    def of(cls, format_: str, provider: str, raws: Mapping[tuple[str, str], Raw | None]) -> "References":
        """Return the references of a format on a provider, among raw values by variant and provider."""
        control = next((raw for (variant, _), raw in raws.items() if variant == CONTROL_VARIANT), None)
        return cls(control, raws.get((str(Variant(format_, Precision.FP32)), provider)))


class Summary(Record):
    """Everything in a row that is derived from its raw values, and from those it is compared with."""

    latency_ms: Latency
    relative_to_control: float | None
    relative_to_control_ci95: tuple[float, float] | None
    relative_to_fp32: float | None
    relative_to_fp32_ci95: tuple[float, float] | None
    import_ms: float
    load_ms: float
    first_inference_ms: float
    file_cache: Literal["warm", "cold", "partly"] | None
    sampling_ended: End
    sustained: Sustained | None
    memory_mb: MemoryMb
    energy_mj: EnergyMj | None
    energy_reason: str | None
    precision_ran: PrecisionRan | None
    accuracy: Accuracy | None


def summarise(
    raw: Raw, requested: Precision | None, evaluation: Evaluation, references: References
) -> Summary:
    """Derive a row's summaries from its raw values; the only place where that is done.

    `requested`: the precision that was asked for, None for what is no artifact.
    """
    timed, energy = raw.processes, raw.energy
    relative_to_control, relative_to_control_ci95 = _ratio(raw, references.control)
    relative_to_fp32, relative_to_fp32_ci95 = _ratio(raw, references.fp32 if requested is not None else None)
    return Summary(
        latency_ms=_latency(timed),
        relative_to_control=relative_to_control,
        relative_to_control_ci95=relative_to_control_ci95,
        relative_to_fp32=relative_to_fp32,
        relative_to_fp32_ci95=relative_to_fp32_ci95,
        import_ms=_median_ms([process.import_ns for process in timed]),
        load_ms=_median_ms([process.load_ns for process in timed]),
        first_inference_ms=_median_ms([process.first_inference_ns for process in timed]),
        file_cache=_file_cache([process.cached_share for process in timed]),
        sampling_ended=raw.ended,
        sustained=None if raw.sustained is None else _sustained(raw.sustained.blocks),
        memory_mb=_memory(raw),
        energy_mj=_energy(energy) if isinstance(energy, Energy) else None,
        energy_reason=None if isinstance(energy, Energy) else energy.reason,
        precision_ran=None if requested is None else precision_ran(requested, raw.executed),
        accuracy=_judge(raw.logits, evaluation) if raw.logits is not None else None,
    )


def _ratio(raw: Raw, reference: Raw | None) -> tuple[float | None, tuple[float, float] | None]:
    ratio = None if reference is None else processes.ratio(raw.processes, reference.processes)
    if ratio is None:
        return None, None
    return ratio.value, None if ratio.interval is None else (ratio.interval.low, ratio.interval.high)


def _latency(timed: Sequence[ProcessTiming]) -> Latency:
    samples = [ns for process in timed for block in process.blocks for ns in block.ns]
    times = latency.summarise_ns(samples)
    interval = processes.interval_of_median(timed)
    return Latency(
        p50=times.p50,
        **times.percentiles,
        upper=UpperBounds(**times.upper),
        unsupported=_unsupported(len(samples)),
        mean=times.mean,
        min=times.min,
        max=times.max,
        relative_range=steadiness.relative_range_of(samples),
        p50_ci95=None if interval is None else (interval.low / _NS_PER_MS, interval.high / _NS_PER_MS),
        samples=len(samples),
        processes=len(timed),
    )


def _unsupported(samples: int) -> str | None:
    needs = {name: latency.fewest_samples(share) for name, share in latency.SHARES.items()}
    missing = [f"{name} needs {fewest}" for name, fewest in needs.items() if samples < fewest]
    if not missing:
        return None
    confidence = f"{latency.CONFIDENCE:.0%} confidence"
    return f"{samples} samples give no upper bound with {confidence}: {', '.join(missing)}"


def _median_ms(values_ns: Sequence[int]) -> float:
    return float(np.median(values_ns)) / _NS_PER_MS


def _file_cache(shares: Sequence[float | None]) -> Literal["warm", "cold", "partly"] | None:
    known = [share for share in shares if share is not None]
    if not known:
        return None
    return "warm" if min(known) == 1 else "cold" if max(known) == 0 else "partly"


def _sustained(blocks: Sequence[Block]) -> Sustained:
    ends_s = list(accumulate(_elapsed_s(block) for block in blocks))
    levels = [median(block.ns) / _NS_PER_MS for block in blocks]
    settled = steadiness.settle(levels)
    since = settled.since
    return Sustained(
        seconds=ends_s[-1],
        drift=steadiness.drift_of(levels),
        settled_ms=settled.level,
        settled_after_s=None if since is None else (ends_s[since - 1] if since else 0.0),
        points=tuple(SustainedPoint(at_s=at, p50_ms=level) for at, level in zip(ends_s, levels, strict=True)),
    )


def _elapsed_s(block: Block) -> float:
    around = block.counters
    return (sum(block.ns) if around is None else around.elapsed_ns) / 1e9


def _memory(raw: Raw) -> MemoryMb:
    peak, proportional = raw.memory.peak_bytes, raw.memory.proportional_bytes
    return MemoryMb(
        runtime=raw.memory.runtime_bytes / _BYTES_PER_MIB,
        loaded=raw.memory.loaded_bytes / _BYTES_PER_MIB,
        peak=None if peak is None else peak / _BYTES_PER_MIB,
        device=None if raw.memory.device_bytes is None else raw.memory.device_bytes / _BYTES_PER_MIB,
        proportional=None if proportional is None else proportional / _BYTES_PER_MIB,
    )


def _energy(energy: Energy) -> EnergyMj:
    return EnergyMj(
        value=energy.joules * _MJ_PER_J / energy.inferences,
        method=f"{energy.method}, {energy.inferences} inferences in {energy.seconds:.2g} s",
        domain=energy.domain,
        idle_watts=energy.idle_watts,
    )


def precision_ran(requested: Precision, executed: Executed | None) -> PrecisionRan:
    """Return what is known of the precision that ran; `executed` is None where nothing did."""
    if executed is None:
        return PrecisionRan(requested=requested)
    return PrecisionRan(
        requested=requested,
        share_of_macs=precision.share_of_macs(executed.operators),
        share_of_operators=precision.share_of_operators(executed.operators),
        casts=executed.casts,
        quantise=executed.quantise,
        dequantise=executed.dequantise,
        evidence=precision.describe(executed),
    )


def _judge(given: tuple[tuple[float, ...], ...], evaluation: Evaluation) -> Accuracy:
    labels = np.asarray(evaluation.labels, dtype=np.int64)
    logits = np.asarray(given, dtype=np.float32)
    reference = np.asarray(evaluation.reference_logits, dtype=np.float32)
    # With more than two classes there is no positive one: its figures would be one class's alone.
    positive = evaluation.positive_class if logits.shape[1] == _TWO_CLASSES else None
    paired = accuracy.pair(logits, reference, labels)
    kept = paired.retention
    return Accuracy(
        images=len(labels),
        top1=accuracy.top1(logits, labels),
        auc=None if positive is None else accuracy.auc(logits, labels, positive),
        sensitivity=None if positive is None else accuracy.sensitivity(logits, labels, positive),
        specificity=None if positive is None else accuracy.specificity(logits, labels, positive),
        reference_sensitivity=None if positive is None else accuracy.sensitivity(reference, labels, positive),
        reference_specificity=None if positive is None else accuracy.specificity(reference, labels, positive),
        agreement=accuracy.agreement(logits, reference),
        retention=None if kept is None else Retention(value=kept, ci95=paired.retention_ci95()),
        mcnemar_p=paired.mcnemar_p(),
        flips=tuple(accuracy.flips(logits, reference)),
        missed=None if positive is None else tuple(accuracy.missed(logits, reference, labels, positive)),
        sqnr_db=accuracy.sqnr_db(logits, reference),
    )
