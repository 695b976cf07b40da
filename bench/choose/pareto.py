"""The Pareto front of latency, memory, size and accuracy. Pure."""

from collections.abc import Sequence

from bench.choose.candidates import Candidate


def dominating(candidate: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that are at least as good in all four quantities, and better in one of them."""
    costs = _costs(candidate)
    return [
        other
        for other in candidates
        if other is not candidate and _costs(other) != costs and _none_above(_costs(other), costs)
    ]


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that no other one dominates, in their order."""
    return [candidate for candidate in candidates if not dominating(candidate, candidates)]


def _costs(candidate: Candidate) -> tuple[float, float, float, float]:
    """Return the four quantities. In each the smaller value is better."""
    return candidate.speed_ns, candidate.memory_bytes, candidate.size_bytes, -candidate.quality


def _none_above(costs: Sequence[float], others: Sequence[float]) -> bool:
    return all(cost <= other for cost, other in zip(costs, others, strict=True))
