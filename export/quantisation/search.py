"""The search for a recipe: try one after the other, the cheapest first, and stop at the first that holds.

It knows figures and their order, and neither networks nor formats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.quantisation import Attempt, HeldOut, Recipe

MIN_AGREEMENT = 0.99
# Held-out images are like those the network was trained on, and flatter: few of them are near the boundary
# between classes. How much noise the logits have tells more about others: recipes with 30 dB and more kept
# 98.9 to 100 % of the classes of the test images of six networks, those with 19 to 27 dB 97.1 to 99.4 %.
_QUIET_DB = 30.0
_NEARLY_AS_QUIET_DB = 2.0


@dataclass(frozen=True)
class Goal:
    """What an int8 artifact must keep on held-out images: share of the fp32 accuracy, and same classes."""

    retention: float
    agreement: float = MIN_AGREEMENT

    def is_reached_by(self, found: HeldOut) -> bool:
        """Tell whether an artifact keeps both."""
        return self.missed_by(found) == 0

    def missed_by(self, found: HeldOut) -> float:
        """Return by how much an artifact misses the two together."""
        return max(0.0, self.retention - found.retention) + max(0.0, self.agreement - found.agreement)


def search(
    recipes: Sequence[Recipe],
    resorts: Sequence[Recipe],
    attempt: Callable[[int, Recipe], Attempt],
    goal: Goal,
) -> tuple[tuple[Attempt, ...], int]:
    """Return what was tried, in order, and which of them is taken.

    It ends at the first recipe that reaches the goal with little noise. If some reach it amid noise, the
    first of those that has hardly more than the best of them is taken. If none does, `resorts` are tried
    until one reaches it; else the one that misses least is taken.
    """
    attempts: list[Attempt] = []
    for recipe in recipes:
        attempts.append(attempt(len(attempts), recipe))
        found = attempts[-1].held_out
        if goal.is_reached_by(found) and _sqnr_db(found) >= _QUIET_DB:
            return tuple(attempts), len(attempts) - 1
    for recipe in resorts:
        if any(goal.is_reached_by(one.held_out) for one in attempts):
            break
        attempts.append(attempt(len(attempts), recipe))
    return tuple(attempts), _best([one.held_out for one in attempts], goal)


def _best(found: Sequence[HeldOut], goal: Goal) -> int:
    least = min(goal.missed_by(one) for one in found)
    best = [number for number, one in enumerate(found) if goal.missed_by(one) == least]
    quietest = max(_sqnr_db(found[number]) for number in best)
    return next(number for number in best if _sqnr_db(found[number]) >= quietest - _NEARLY_AS_QUIET_DB)


def _sqnr_db(found: HeldOut) -> float:
    return float("inf") if found.sqnr_db is None else found.sqnr_db
