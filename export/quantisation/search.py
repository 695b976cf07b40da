"""The search for a recipe: try one after the other, the cheapest first, and stop at the first that holds.

It knows figures and their order, and neither networks nor formats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.bundle.recipe import Attempt, HeldOut, Recipe
from bench.statistics.accuracy import agreement_low, least_agreement
from export.quantisation.candidates import Candidates

# Few of the held-out images are near the boundary between classes, for they are like those the network was
# trained on, so their agreement flatters: hence a floor of signal. Files with 30 dB and more kept 98.7 % of
# the classes of the test images, or more, of seven networks (docs/int8.md).
MIN_SQNR_DB = 30.0
_NEARLY_AS_QUIET_DB = 2.0


@dataclass(frozen=True)
class Goal:
    """What an int8 artifact must keep on `images` held-out images.

    `retention`: share of the fp32 accuracy; `sqnr_db`: signal to quantisation noise of the logits.
    """

    retention: float
    images: int
    sqnr_db: float = MIN_SQNR_DB

    @property
    def agreement(self) -> float:
        """What the lower end of the 95 % interval of the share of images with the same class must reach."""
        return least_agreement(self.images)

    def is_reached_by(self, held_out: HeldOut) -> bool:
        """Tell whether an artifact keeps all of them."""
        return self.missed_by(held_out) == 0 and signal_db(held_out) >= self.sqnr_db

    def missed_by(self, held_out: HeldOut) -> float:
        """Return by how much an artifact misses retention and agreement together."""
        low = agreement_low(held_out.agreement, self.images)
        return max(0.0, self.retention - held_out.retention) + max(0.0, self.agreement - low)


def search(
    candidates: Candidates,
    attempt: Callable[[int, Recipe], Attempt],
    default: Callable[[int], Attempt | None],
    goal: Goal,
) -> tuple[tuple[Attempt, ...], int]:
    """Return what was tried, in order, and which of them is taken.

    The library's own default is tried too (`default`, None where it fails), and taken where it is better. The
    search ends at the first recipe that reaches the goal; if none does, it goes on with the fallback recipes,
    and if none of those does, the one that misses least is taken: among equals the first of those that have
    hardly less signal than the best.
    """
    attempts: list[Attempt] = []
    for recipe in (*candidates.recipes, *candidates.fallbacks):
        attempts.append(attempt(len(attempts), recipe))
        if goal.is_reached_by(attempts[-1].held_out):
            break
    reached = goal.is_reached_by(attempts[-1].held_out)
    taken = len(attempts) - 1 if reached else _best([each.held_out for each in attempts], goal)
    if (rival := default(len(attempts))) is not None:
        attempts.append(rival)
        if _is_better(rival.held_out, attempts[taken].held_out, goal):
            taken = len(attempts) - 1
    return tuple(attempts), taken


def _is_better(held_out: HeldOut, other: HeldOut, goal: Goal) -> bool:
    missed, missed_by_other = goal.missed_by(held_out), goal.missed_by(other)
    is_quieter = signal_db(held_out) > signal_db(other) + _NEARLY_AS_QUIET_DB
    return missed < missed_by_other or (missed == missed_by_other and is_quieter)


def _best(held_out: Sequence[HeldOut], goal: Goal) -> int:
    least = min(goal.missed_by(each) for each in held_out)
    best = [number for number, each in enumerate(held_out) if goal.missed_by(each) == least]
    quietest = max(signal_db(held_out[number]) for number in best)
    return next(number for number in best if signal_db(held_out[number]) >= quietest - _NEARLY_AS_QUIET_DB)


def signal_db(held_out: HeldOut) -> float:
    """Return the signal to quantisation noise ratio; infinite where there is no noise."""
    return float("inf") if held_out.sqnr_db is None else held_out.sqnr_db
