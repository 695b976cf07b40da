"""Which contenders nobody beats in everything: the front of latency, memory, size and accuracy. Pure."""

from collections.abc import Sequence

from bench.choose.candidates import Candidate


def dominating(one: Candidate, contenders: Sequence[Candidate]) -> list[Candidate]:
    """Return who is at least as good in latency, memory, size and accuracy, and better in one of them."""
    costs = _costs(one)
    return [
        other
        for other in contenders
        if other is not one and _costs(other) != costs and _none_above(_costs(other), costs)
    ]


def front(contenders: Sequence[Candidate]) -> list[Candidate]:
    """Return those whom nobody dominates, in their order."""
    return [one for one in contenders if not dominating(one, contenders)]


def _costs(one: Candidate) -> tuple[float, float, float, float]:
    """Return what is to be small."""
    return one.speed_ms, one.memory_mb, one.size_mb, -one.top1


def _none_above(costs: Sequence[float], others: Sequence[float]) -> bool:
    return all(cost <= other for cost, other in zip(costs, others, strict=True))
