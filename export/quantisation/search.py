"""The search for a recipe: try one after the other, the cheapest first, and stop at the first that holds.

It knows figures and their order, and neither networks nor formats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.quantisation import Attempt, HeldOut, Recipe

MIN_AGREEMENT = 0.99
# Held-out images are like those the network was trained on, and flatter: few of them are near the boundary
# between classes. How much noise the logits have tells more about others. On four networks recipes with 27 dB
# and more kept 99.0 to 100 % of the classes of the test images, those with 19 to 26 dB 97.1 to 99.2 %.
_QUIET_DB = 27.0


@dataclass(frozen=True)
class Goal:
    """What an int8 artifact must keep on held-out images: share of the fp32 accuracy, and same classes."""

    retention: float
    agreement: float = MIN_AGREEMENT

    def is_reached_by(self, found: HeldOut) -> bool:
        """Tell whether an artifact keeps both."""
        return found.retention >= self.retention and found.agreement >= self.agreement


def search(
    recipes: Sequence[Recipe], attempt: Callable[[int, Recipe], Attempt], goal: Goal
) -> tuple[tuple[Attempt, ...], int]:
    """Return what was tried, in order, and which of them is taken.

    It ends at the first that reaches the goal with little noise; else the best of all is taken.
    """
    attempts: list[Attempt] = []
    for number, recipe in enumerate(recipes):
        attempts.append(attempt(number, recipe))
        found = attempts[-1].held_out
        if goal.is_reached_by(found) and _noise_db(found) >= _QUIET_DB:
            return tuple(attempts), number
    return tuple(attempts), max(range(len(attempts)), key=lambda one: _merit(attempts[one].held_out, goal))


def _merit(found: HeldOut, goal: Goal) -> tuple[float, float]:
    """Order artifacts: by how far they miss the goal, then by noise, which tells apart what images cannot."""
    missing = max(0.0, goal.retention - found.retention) + max(0.0, goal.agreement - found.agreement)
    return -missing, _noise_db(found)


def _noise_db(found: HeldOut) -> float:
    return float("inf") if found.sqnr_db is None else found.sqnr_db
