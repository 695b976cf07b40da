"""The search for a recipe: tries one after the other, the cheapest first, until one meets the goal.

It knows figures and their order, and neither networks nor formats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.bundle.recipe import Attempt, HeldOut, Recipe
from bench.statistics.accuracy import MIN_SQNR_DB, agreement_low, least_agreement
from export.quantisation.candidates import MOST_MACS_IN_FP32, Candidates

_NEARLY_EQUAL_DB = 2.0
LEAST_IN_INT8 = 0.8
"""The share of the multiply-accumulates that an int8 artifact must execute in int8. The library's own default
kept two thirds of a MobileNetV3 in fp32, and was the more exact for that."""
MOST_CPU_SECONDS = 300.0
"""How much CPU time the search for the recipe of one artifact may take before it tries the library's default.
A MobileNetV2 needs less for all recipes. If time by the clock were limited, other programs would decide."""


@dataclass(frozen=True)
class Goal:
    """What an int8 artifact must reach on the held-out images."""

    retention: float
    """The share of the source's accuracy."""
    images: int
    """How many held-out images there are."""
    sqnr_db: float = MIN_SQNR_DB
    """The signal to quantisation noise ratio of the logits."""

    @property
    def agreement(self) -> float:
        """What the lower end of the 95 % interval of the top-1 agreement must reach."""
        return least_agreement(self.images)

    def is_met_by(self, held_out: HeldOut) -> bool:
        """Tell whether an artifact reaches retention, agreement and SQNR, and loses no class."""
        return self.shortfall(held_out) == 0 and sqnr_db(held_out) >= self.sqnr_db

    def is_reached_by(self, attempt: Attempt) -> bool:
        """Tell whether an artifact meets the goal, and runs mostly in int8."""
        return is_mostly_int8(attempt) and self.is_met_by(attempt.held_out)

    def shortfall(self, held_out: HeldOut) -> float:
        """Return by how much an artifact misses retention and agreement, and loses classes, added up."""
        shortfall = 0.0
        if held_out.retention is not None:
            shortfall += max(0.0, self.retention - held_out.retention)
        if held_out.agreement is not None:
            shortfall += max(0.0, self.agreement - agreement_low(held_out.agreement, self.images))
        return shortfall + sum(lost.loss for lost in held_out.lost_classes)

    @property
    def one_image(self) -> float:
        """By how much one image changes a shortfall, in retention and agreement; a lost class is more."""
        return 2 / self.images


def search(
    candidates: Candidates,
    attempt: Callable[[Recipe], Attempt | None],
    attempt_library_default: Callable[[], Attempt | None],
    goal: Goal,
    has_time: Callable[[Recipe], bool] = lambda _recipe: True,
) -> tuple[tuple[Attempt, ...], int]:
    """Return the attempts, in order, and the index of the one to use; no attempts if each recipe fails.

    An attempt that fails is None, and is passed over. `has_time`: whether there is time for a recipe, which
    is asked once there is an attempt.

    The search ends with the first recipe that meets the goal. Fallback recipes follow if none of the others
    does. If no recipe meets the goal, the one with the smallest shortfall is used: among those whose
    shortfall differs by one image at most, which is chance, the first of those with hardly less SQNR than the
    best. The library's own default (None if it fails) is tried as well, and used if it is better.
    """
    attempts: list[Attempt] = []
    is_met = False
    for recipe in (*candidates.recipes, *candidates.fallbacks):
        if attempts and not has_time(recipe):
            continue
        if (made := attempt(recipe)) is None:
            continue
        attempts.append(made)
        if is_met := goal.is_reached_by(made):
            break
    default = attempt_library_default()
    if not attempts:
        return (() if default is None else (default,)), 0
    chosen = len(attempts) - 1 if is_met else _best(attempts, goal)
    if default is not None:
        attempts.append(default)
        is_admitted = is_mostly_int8(default) or not is_mostly_int8(attempts[chosen])
        if is_admitted and _is_better(default.held_out, attempts[chosen].held_out, goal):
            chosen = len(attempts) - 1
    return tuple(attempts), chosen


def count_untried(candidates: Candidates, attempts: Sequence[Attempt], failed: int, goal: Goal) -> int:
    """Return how many recipes were not tried for want of time; none if one of them reached the goal."""
    own = [attempt for attempt in attempts if not attempt.recipe.library_default]
    if any(map(goal.is_reached_by, own)):
        return 0
    return len(candidates.recipes) + len(candidates.fallbacks) - len(own) - failed


def _is_better(held_out: HeldOut, other: HeldOut, goal: Goal) -> bool:
    less = goal.shortfall(other) - goal.shortfall(held_out)
    has_less_noise = sqnr_db(held_out) > sqnr_db(other) + _NEARLY_EQUAL_DB
    return less > goal.one_image or (abs(less) <= goal.one_image and has_less_noise)


def is_mostly_int8(attempt: Attempt) -> bool:
    """Tell whether the runtime executes an artifact's work in int8; what is not known counts as if it did."""
    return attempt.share_in_int8 is None or attempt.share_in_int8 >= least_in_int8(attempt)


def least_in_int8(attempt: Attempt) -> float:
    """Return the share of the multiply-accumulates that an artifact must execute in int8.

    What a format has in fp32 beyond all that a recipe may exclude, such as OpenVINO's depthwise layers, does
    not count against it.
    """
    return LEAST_IN_INT8 - max(0.0, attempt.share_in_fp32 - MOST_MACS_IN_FP32)


def _best(attempts: Sequence[Attempt], goal: Goal) -> int:
    """Return the index of the best artifact, of those that run mostly in int8 if there are any."""
    in_int8 = [number for number, attempt in enumerate(attempts) if is_mostly_int8(attempt)]
    numbers = in_int8 or list(range(len(attempts)))
    results = {number: attempts[number].held_out for number in numbers}
    least = min(goal.shortfall(result) for result in results.values())
    most = least + goal.one_image
    best = [number for number, result in results.items() if goal.shortfall(result) <= most]
    highest = max(sqnr_db(results[number]) for number in best)
    return next(number for number in best if sqnr_db(results[number]) >= highest - _NEARLY_EQUAL_DB)


def sqnr_db(held_out: HeldOut) -> float:
    """Return the signal to quantisation noise ratio; infinite if there is no noise."""
    return float("inf") if held_out.sqnr_db is None else held_out.sqnr_db
