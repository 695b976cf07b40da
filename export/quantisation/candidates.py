"""Which recipes are worth trying, the cheapest first. Pure: costs in, recipes out."""

from collections.abc import Sequence

from pydantic import Field

from bench.bundle.recipe import RangeMethod, Recipe
from bench.record import Record
from export.quantisation.costs import Costs, Layer

# Without a search: the stem, the first depthwise convolution and the first projection stay in float, 7 % of a
# MobileNetV2's multiply-accumulates. Few channels of very different range are hardest to quantise.
_FIRST_LAYERS = 3
# Float layers at full resolution cost more time than multiply-accumulates: OpenVINO's int8 ÷ fp32 latency was
# 0.42 with none in float, 0.51 with 4.8 % and 0.58 with 14.3 % (MobileNetV2, 224x224, VNNI). More than a
# twentieth is a fallback; and at least 85 % always run in int8, as was asked.
_CHEAP_MACS_IN_FLOAT = 0.05
_MOST_MACS_IN_FLOAT = 0.145
# Few layers have most of the weights, which in float take four times the bytes.
_MOST_WEIGHTS_IN_FLOAT = 0.03
# Sets that promise less are not tried where others promise it.
_FEWEST_DB = 30.0
_STEP_DB = 0.5
_MOST_SETS = 3


LIBRARY_DEFAULT = Recipe(corrected=False, library_default=True)


class Candidates(Record):
    """`recipes`: to be tried in this order; `fallbacks`: if none of those holds, the cheapest first."""

    recipes: tuple[Recipe, ...] = Field(min_length=1)
    fallbacks: tuple[Recipe, ...]


def default_recipe(layers: Sequence[str]) -> Recipe:
    """Return the recipe that is taken without a search, by the names of the layers in the order they run."""
    return Recipe(excluded_modules=tuple(layers[:_FIRST_LAYERS]))


def candidates_for(costs: Costs, qat: bool) -> Candidates:
    """Return the recipes worth trying; `qat`: train weights further as the last fallback."""
    sets = cheapest_sets(costs)
    cheap = [one for one in sets if costs.share_of_macs(one) <= _CHEAP_MACS_IN_FLOAT]
    promising = [one for one in cheap if costs.sqnr_db(one) >= _FEWEST_DB] or cheap[-1:]
    recipes = _of_sets(costs, promising)
    dear = _of_sets(costs, [one for one in sets if one not in cheap])
    last = recipes[-1]
    fallbacks = [*dear, last.model_copy(update={"ranges": RangeMethod.HISTOGRAM})]
    if qat:
        fallbacks.append((dear or recipes)[-1].model_copy(update={"qat": True}))
    return Candidates(recipes=tuple(recipes), fallbacks=tuple(fallbacks))


def _of_sets(costs: Costs, sets: Sequence[frozenset[str]]) -> list[Recipe]:
    return [Recipe(excluded_modules=costs.in_order(one)) for one in sets[:_MOST_SETS]]


def cheapest_sets(costs: Costs) -> list[frozenset[str]]:
    """Return sets of layers to leave in float, each holding the one before, from none upwards.

    At each step the run of one to three layers joins that lowers the predicted noise most for its
    multiply-accumulates. Sets that are hardly better than the last one returned are passed over.
    """
    chosen: frozenset[str] = frozenset()
    sets = [chosen]
    while (run := _best_run(costs, chosen)) is not None:
        chosen |= run
        if costs.sqnr_db(chosen) >= costs.sqnr_db(sets[-1]) + _STEP_DB:
            sets.append(chosen)
    return sets


def _best_run(costs: Costs, chosen: frozenset[str]) -> frozenset[str] | None:
    noise = costs.noise(chosen)
    best, best_gain = None, 0.0
    for run in _runs(costs.layers):
        if run <= chosen or not _is_small(costs, chosen | run):
            continue
        gain = (noise - costs.noise(chosen | run)) / costs.share_of_macs(run - chosen)
        if gain > best_gain:
            best, best_gain = run, gain
    return best


def _is_small(costs: Costs, names: frozenset[str]) -> bool:
    return (
        costs.share_of_macs(names) <= _MOST_MACS_IN_FLOAT
        and costs.share_of_weights(names) <= _MOST_WEIGHTS_IN_FLOAT
    )


def _runs(layers: Sequence[Layer]) -> list[frozenset[str]]:
    """Return every run of one to three convolutions that follow each other."""
    names = [one.name for one in layers if one.is_convolution]
    return [
        frozenset(names[first : first + count])
        for count in (1, 2, 3)
        for first in range(len(names) - count + 1)
    ]
