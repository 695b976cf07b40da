"""The Pareto front of latency, memory, size and accuracy. Pure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.choose.candidates import Candidate


class Costs:
    """The four quantities of all candidates, each computed once, as each candidate is held against all."""

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self._candidates = candidates
        self._costs = np.array([_costs(candidate) for candidate in candidates]).reshape(-1, 4)

    def dominating(self, candidate: Candidate) -> list[Candidate]:
        """Return the candidates that are at least as good in all quantities, and better in one of them."""
        return [
            self._candidates[index] for index in np.flatnonzero(self._dominates(_costs(candidate))).tolist()
        ]

    def front(self) -> list[Candidate]:
        """Return the candidates that no other one dominates, in their order."""
        return [
            candidate
            for candidate, costs in zip(self._candidates, self._costs, strict=True)
            if not self._dominates(costs).any()
        ]

    def _dominates(self, costs: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Tell of each candidate whether it dominates one with these costs; none dominates itself."""
        never_above = np.all(self._costs <= costs, axis=1)
        found: npt.NDArray[np.bool_] = never_above & np.any(self._costs < costs, axis=1)
        return found


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that no other one dominates, in their order."""
    return Costs(candidates).front()


def _costs(candidate: Candidate) -> tuple[float, float, float, float]:
    """Return the four quantities. In each the smaller value is better."""
    return candidate.speed_ns, candidate.memory_bytes, candidate.size_bytes, -candidate.quality
