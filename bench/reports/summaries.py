"""What is derived from a row's raw values, by one function. Pure: it reads no file and no clock."""

from dataclasses import asdict

import numpy as np

from bench.records import Record
from bench.reports.records import Accuracy, Evaluation, Latency, MemoryMb, Raw, Retention
from bench.statistics import accuracy, latency

_NS_PER_MS = 1e6
_TWO_CLASSES = 2
_BYTES_PER_MIB = 1 << 20


class Summary(Record):
    """Everything in a row that is derived from its raw values."""

    latency_ms: Latency
    import_ms: float
    load_ms: float
    first_inference_ms: float
    memory_mb: MemoryMb
    accuracy: Accuracy


def summarise(raw: Raw, evaluation: Evaluation) -> Summary:
    """Derive a row's summaries from its raw values; the only place where that is done."""
    samples = [ns for process in raw.processes for block in process.blocks for ns in block.ns]
    times = latency.summarise_ns(samples)
    peak = raw.memory.peak_bytes
    return Summary(
        latency_ms=Latency(**asdict(times), p50_ci95=None, samples=len(samples)),
        import_ms=_median_ms([process.import_ns for process in raw.processes]),
        load_ms=_median_ms([process.load_ns for process in raw.processes]),
        first_inference_ms=_median_ms([process.first_inference_ns for process in raw.processes]),
        memory_mb=MemoryMb(
            runtime=raw.memory.runtime_bytes / _BYTES_PER_MIB,
            loaded=raw.memory.loaded_bytes / _BYTES_PER_MIB,
            peak=None if peak is None else peak / _BYTES_PER_MIB,
            device=None,
        ),
        accuracy=_judge(raw, evaluation),
    )


def _median_ms(values_ns: list[int]) -> float:
    return float(np.median(values_ns)) / _NS_PER_MS


def _judge(raw: Raw, evaluation: Evaluation) -> Accuracy:
    labels = np.asarray(evaluation.labels, dtype=np.int64)
    logits = np.asarray(raw.logits, dtype=np.float32)
    reference = np.asarray(evaluation.reference_logits, dtype=np.float32)
    # With more than two classes there is no positive one: these three figures would be one class's alone.
    positive = evaluation.positive_class if logits.shape[1] == _TWO_CLASSES else None
    paired = accuracy.pair(logits, reference, labels)
    kept = paired.retention
    return Accuracy(
        images=len(labels),
        top1=accuracy.top1(logits, labels),
        auc=None if positive is None else accuracy.auc(logits, labels, positive),
        sensitivity=None if positive is None else accuracy.sensitivity(logits, labels, positive),
        specificity=None if positive is None else accuracy.specificity(logits, labels, positive),
        agreement=accuracy.agreement(logits, reference),
        retention=None if kept is None else Retention(value=kept, ci95=paired.retention_ci95()),
        mcnemar_p=paired.mcnemar_p(),
        flips=tuple(accuracy.flips(logits, reference)),
        sqnr_db=accuracy.sqnr_db(logits, reference),
    )
