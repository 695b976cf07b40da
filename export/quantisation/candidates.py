"""Which recipes are worth trying, the cheapest first. Pure: sensitivity in, recipes out."""

from collections.abc import Sequence

from pydantic import Field

from bench.bundle.recipe import RangeMethod, Recipe
from bench.record import Record
from bench.statistics.accuracy import MIN_SQNR_DB
from export.quantisation.sensitivity import Layer, Sensitivity

# The default recipe excludes the stem, the first depthwise convolution and the first projection, 7 % of a
# MobileNetV2's multiply-accumulates. Few channels of very different ranges are hardest to quantise.
_FIRST_LAYERS = 3
# Layers in fp32 at full resolution cost more time than their multiply-accumulates suggest: OpenVINO's int8 ÷
# fp32 latency was 0.42 with none in fp32, 0.51 with 4.8 % and 0.58 with 14.3 % (MobileNetV2, 224x224, VNNI).
# Recipes with more than a twentieth in fp32 are fallbacks, and no recipe has more than a seventh.
_MOST_MACS_WITHOUT_FALLBACK = 0.05
MOST_MACS_IN_FP32 = 0.145
# A few layers have most of the weights, and in fp32 they take four times the bytes.
_MOST_WEIGHTS_IN_FP32 = 0.03
# Where no set of such layers is predicted to reach the goal, a larger file is better than a worse one: SiLU
# and squeeze-and-excitation make many tensors hard to quantise, and late layers are among them.
_MOST_WEIGHTS_AS_FALLBACK = 0.25
_STEP_DB = 0.5
_MOSTLY = 0.5
_MOST_SETS = 3


LIBRARY_DEFAULT = Recipe(corrected=False, library_default=True)


class Candidates(Record):
    """The recipes that a search tries."""

    recipes: tuple[Recipe, ...] = Field(min_length=1)
    """The first recipes, in the order in which they are tried."""
    fallbacks: tuple[Recipe, ...]
    """The recipes that are tried if none of the first meets the goal, the cheapest first."""


def default_recipe(layers: Sequence[str]) -> Recipe:
    """Return the recipe that is used without a search, for layers named in the order in which they run."""
    return Recipe(excluded_modules=tuple(layers[:_FIRST_LAYERS]))


def candidates_for(sensitivity: Sensitivity, qat: bool) -> Candidates:
    """Return the recipes worth trying; `qat` adds quantisation-aware training as the last fallback."""
    sets = excluded_sets(sensitivity)
    cheap = [names for names in sets if sensitivity.share_of_macs(names) <= _MOST_MACS_WITHOUT_FALLBACK]
    # Held-out images are like those the network was trained on, so few of them are near the boundary between
    # classes and their agreement is too optimistic. Hence a limit for the SQNR as well. Sets of layers that
    # predict less are not tried if others predict at least this.
    promising = [names for names in cheap if sensitivity.sqnr_db(names) >= MIN_SQNR_DB] or cheap[-1:]
    recipes = _recipes_excluding(promising, sensitivity)
    costly = _recipes_excluding([names for names in sets if names not in cheap], sensitivity)
    fallbacks = [
        *costly,
        *_heavy(sensitivity, sets),
        recipes[-1].model_copy(update={"ranges": RangeMethod.HISTOGRAM}),
    ]
    if qat:
        fallbacks.append((costly or recipes)[-1].model_copy(update={"qat": True}))
    return Candidates(recipes=tuple(recipes), fallbacks=tuple(fallbacks))


def candidates_without_network(sensitivity: Sensitivity) -> Candidates:
    """Return the recipes for a file of which no network can be made, so that its weights cannot be corrected.

    What is kept in fp32 are its first layers: the quantisation library corrects biases, and nothing tells
    which layers are the most sensitive.
    """
    first = sensitivity.layers[:_FIRST_LAYERS]
    sets = [tuple(layer.name for layer in first[:count]) for count in range(1, len(first) + 1)]
    small = [names for names in sets if sensitivity.share_of_macs(frozenset(names)) <= MOST_MACS_IN_FP32]
    fallbacks = [
        Recipe(corrected=False, ranges=ranges, excluded_modules=names)
        for names in small[-1:]
        for ranges in (RangeMethod.MIN_MAX, RangeMethod.HISTOGRAM)
    ]
    return Candidates(
        recipes=(Recipe(corrected=False), Recipe(corrected=False, ranges=RangeMethod.HISTOGRAM)),
        fallbacks=tuple(fallbacks),
    )


def _heavy(sensitivity: Sensitivity, sets: Sequence[frozenset[str]]) -> list[Recipe]:
    """Return the recipe that excludes large layers too, if the others are predicted to miss the goal."""
    if max(map(sensitivity.sqnr_db, sets)) >= MIN_SQNR_DB:
        return []
    best = excluded_sets(sensitivity, _MOST_WEIGHTS_AS_FALLBACK)[-1]
    is_better = sensitivity.sqnr_db(best) >= sensitivity.sqnr_db(sets[-1]) + _STEP_DB
    return _recipes_excluding([best], sensitivity) if is_better else []


def _recipes_excluding(sets: Sequence[frozenset[str]], sensitivity: Sensitivity) -> list[Recipe]:
    return [Recipe(excluded_modules=sensitivity.in_order(names)) for names in sets[:_MOST_SETS]]


def excluded_sets(
    sensitivity: Sensitivity, most_weights: float = _MOST_WEIGHTS_IN_FP32
) -> list[frozenset[str]]:
    """Return sets of modules to exclude. The first is empty, and each contains the one before it.

    `most_weights`: the largest share of the network's weights in one of them.

    Each step adds one, two or three convolutions in a row: those that lower the predicted noise most for
    their multiply-accumulates. A set that is hardly better than the last one returned is left out.
    """
    chosen: frozenset[str] = frozenset()
    sets = [chosen]
    while (run := _best_run(sensitivity, chosen, most_weights)) is not None:
        chosen |= run
        if sensitivity.sqnr_db(chosen) >= sensitivity.sqnr_db(sets[-1]) + _STEP_DB:
            sets.append(chosen)
    return sets


def _best_run(sensitivity: Sensitivity, chosen: frozenset[str], most_weights: float) -> frozenset[str] | None:
    noise = sensitivity.noise(chosen)
    best, best_gain = None, 0.0
    for run in _runs(sensitivity.layers):
        if run <= chosen or not _is_small(sensitivity, chosen | run, most_weights):
            continue
        gain = (noise - sensitivity.noise(chosen | run)) / sensitivity.share_of_macs(run - chosen)
        if gain > best_gain:
            best, best_gain = run, gain
    return best


def _is_small(sensitivity: Sensitivity, names: frozenset[str], most_weights: float) -> bool:
    return (
        sensitivity.share_of_macs(names) <= MOST_MACS_IN_FP32
        and sensitivity.share_of_weights(names) <= most_weights
    )


def _runs(layers: Sequence[Layer]) -> list[frozenset[str]]:
    """Return every sequence of one to three convolutions that follow each other; of a network that mostly
    multiplies matrices, as transformers do, every one of its layers of any kind."""
    convolutions = [layer for layer in layers if layer.is_convolution]
    has_convolutions = sum(layer.share_of_macs for layer in convolutions) >= _MOSTLY
    names = [layer.name for layer in (convolutions if has_convolutions else layers)]
    return [
        frozenset(names[first : first + count])
        for count in (1, 2, 3)
        for first in range(len(names) - count + 1)
    ]
