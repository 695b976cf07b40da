"""The limits of a profile's budget that a row exceeds. Pure: values in, sentences out."""

from bench.devices.projection.projected import Projected
from bench.devices.terms import Provenance
from bench.report.retention import check_retention
from bench.report.schema import Evaluation
from bench.statistics.accuracy import Paired
from bench.statistics.latency import Latency, p95_or_p50
from bench.units import mb, mib, ms
from device_profiles.settings import Budget


def over_budget(
    latency: Latency,
    memory_bytes: int,
    size_bytes: int,
    paired: Paired | None,
    budget: Budget,
    provenance: Provenance,
) -> list[str]:
    """Return a sentence for each limit that a row exceeds. A proxy's latency is not compared.

    `memory_bytes` is its peak. `paired` has its predictions and the reference's, None without any.
    """
    sentences = [
        _over_latency(latency, budget.p95_ms if provenance == "measured" else None),
        _over("peak memory", mib(memory_bytes), budget.memory_mb, "MiB"),
        _over("size", mb(size_bytes), budget.size_mb, "MB"),
        _loses_accuracy(paired, budget.retention),
    ]
    return [sentence for sentence in sentences if sentence is not None]


def retention_not_checked(evaluation: Evaluation | None, budget: Budget) -> list[str]:
    """Return a sentence if the budget limits retention and a bundle has none; model files never have any."""
    if evaluation is None or evaluation.gap is None or budget.retention is None:
        return []
    sentence = (
        f"the budget's retention of {budget.retention:g} was not checked, because there is no accuracy: "
        f"{evaluation.gap}; see its agreement with the source"
    )
    return [sentence]


def projected_over_budget(projected: Projected, budget: Budget) -> list[str]:
    """Return a sentence if the whole projected range exceeds the limit of latency."""
    low, high = ms(projected.low_ns), ms(projected.high_ns)
    if budget.p95_ms is None or low <= budget.p95_ms:
        return []
    return [f"projected latency {low:.3g} to {high:.3g} ms is over the budget's {budget.p95_ms:g} ms"]


def _over_latency(latency: Latency, limit_ms: float | None) -> str | None:
    if limit_ms is None:
        return None
    ns, percentile = p95_or_p50(latency)
    sentence = _over(f"{percentile} latency", ms(ns), limit_ms, "ms")
    if sentence is not None or percentile == "p95":
        return sentence
    return f"p95 latency is not compared with the budget: {latency.samples} samples are too few for a p95"


def _loses_accuracy(paired: Paired | None, min_retention: float | None) -> str | None:
    """Check retention by its interval, as `choose` does."""
    if paired is None or min_retention is None:
        return None
    check = check_retention(paired, min_retention)
    if check.is_shown:
        return None
    judgement = check.sentence if check.is_lost else f"is {check.sentence}"
    return f"the budget requires a retention of {min_retention:g}, and this variant {judgement}"


def _over(quantity: str, value: float, limit: float | None, unit: str) -> str | None:
    if limit is None or value <= limit:
        return None
    return f"{quantity} {value:.4g} {unit} is over the budget's {limit:g} {unit}"
