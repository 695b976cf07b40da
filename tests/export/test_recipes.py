"""Which int8 recipes are tried and which one is taken: figures alone, no network."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from bench.bundle.recipe import Attempt, HeldOut, RangeMethod, Recipe
from export.best_artifact import reasons
from export.quantisation.candidates import (
    LIBRARY_DEFAULT,
    Candidates,
    candidates_for,
    cheapest_sets,
    default_recipe,
)
from export.quantisation.costs import Activation, Costs, Layer
from export.quantisation.search import Goal, search

NAMES = [f"layer{number}" for number in range(8)]


def layer(name: str, noise: float, macs: float = 0.125, convolution: bool = True) -> Layer:
    return Layer(
        name=name, is_convolution=convolution, share_of_macs=macs, share_of_weights=0.01, noise=noise
    )


def costs(noises: Sequence[float], activations: Sequence[Activation] = (), macs: float = 0.02) -> Costs:
    layers = [layer(name, noise, macs) for name, noise in zip(NAMES, noises, strict=False)]
    return Costs(layers=tuple(layers), activations=tuple(activations))


def between(*names: str, noise: float, summed: bool = False) -> Activation:
    return Activation(noise=noise, layers=names, summed=summed)


def test_a_tensor_is_in_float_only_where_all_its_layers_are() -> None:
    found = costs([0.1, 0.1], [between("layer0", "layer1", noise=0.5), between("layer1", noise=0.25)])

    assert found.noise(frozenset()) == pytest.approx(0.95)
    assert found.noise(frozenset({"layer0"})) == pytest.approx(0.85)
    assert found.noise(frozenset({"layer0", "layer1"})) == 0


def test_a_tensor_that_is_summed_is_always_rounded() -> None:
    found = costs([0.0], [between("layer0", noise=0.5, summed=True)])

    assert found.noise(frozenset({"layer0"})) == 0.5


def test_the_layers_that_save_most_for_their_work_stay_in_float_first() -> None:
    found = costs([0.001, 0.01, 0.1, 0.001, 0.001])
    first, second, *_ = cheapest_sets(found)

    assert first == frozenset()
    assert second == frozenset({"layer2"})


def test_layers_that_save_only_together_are_found() -> None:
    found = costs([0.001] * 5, [between("layer1", "layer2", "layer3", noise=0.5)])

    assert frozenset({"layer1", "layer2", "layer3"}) in cheapest_sets(found)


def test_sets_grow_and_leave_most_of_the_work_and_the_weights_in_int8() -> None:
    found = costs([0.1 / 2**number for number in range(8)], macs=0.05)
    sets = cheapest_sets(found)

    assert len(sets) > 2
    assert all(one < other for one, other in pairwise(sets))
    assert found.share_of_macs(sets[-1]) <= 0.15
    assert found.share_of_weights(sets[-1]) <= 0.03


def test_linear_layers_are_never_left_in_float() -> None:
    found = Costs(layers=(layer("head", 0.5, 0.01, convolution=False),), activations=())

    assert cheapest_sets(found) == [frozenset()]


def test_recipes_begin_with_the_cheapest_set_that_promises_enough() -> None:
    found = candidates_for(costs([0.1, 0.0001, 0.0001]), qat=False)

    assert found.recipes[0] == Recipe(excluded_modules=("layer0",))
    assert found.fallbacks[-1].ranges is RangeMethod.HISTOGRAM
    assert all(one.corrected for one in found.recipes)


def test_much_in_float_and_training_on_are_fallbacks() -> None:
    found = costs([0.1, 0.05, 0.02, 0.01], macs=0.03)
    candidates = candidates_for(found, qat=True)

    assert all(found.share_of_macs(frozenset(one.excluded_modules)) <= 0.05 for one in candidates.recipes)
    assert any(found.share_of_macs(frozenset(one.excluded_modules)) > 0.05 for one in candidates.fallbacks)
    assert [one.qat for one in candidates.fallbacks].index(True) == len(candidates.fallbacks) - 1
    assert not any(one.qat for one in candidates_for(found, qat=False).fallbacks)


def test_a_network_that_int8_hardly_costs_anything_is_tried_without_float_first() -> None:
    assert candidates_for(costs([0.0001, 0.0001]), qat=False).recipes[0].excluded_modules == ()


def test_without_a_search_the_first_layers_stay_in_float() -> None:
    assert default_recipe(NAMES).excluded_modules == ("layer0", "layer1", "layer2")


IMAGES = 256


def attempts(
    *recipes: HeldOut, fallbacks: Sequence[HeldOut] = (), default: HeldOut | None = None
) -> tuple[list[Attempt], int]:
    waiting = [*recipes, *fallbacks]

    def attempt(number: int, recipe: Recipe) -> Attempt:
        return Attempt(recipe=recipe, share_in_fp32=0.0, held_out=waiting.pop(0), seconds=0.0)

    def try_default(number: int) -> Attempt | None:
        if default is None:
            return None
        return Attempt(recipe=LIBRARY_DEFAULT, share_in_fp32=0.0, held_out=default, seconds=0.0)

    candidates = Candidates(recipes=(Recipe(),) * len(recipes), fallbacks=(Recipe(),) * len(fallbacks))
    made, taken = search(candidates, attempt, try_default, Goal(0.99, IMAGES))
    return [each for each in made if not each.recipe.library_default], taken


def held_out(agreement: float, retention: float, sqnr_db: float | None) -> HeldOut:
    return HeldOut(agreement=agreement, retention=retention, sqnr_db=sqnr_db)


def test_the_search_ends_at_the_first_that_holds_with_little_noise() -> None:
    made, taken = attempts(held_out(0.98, 1.0, 30.0), held_out(1.0, 0.99, 30.0), held_out(1.0, 1.0, 40.0))

    assert (len(made), taken) == (2, 1)


def test_a_share_that_chance_could_give_is_not_enough() -> None:
    # 0.992 of 256 images: the lower end of its interval is 0.972, and that of 0.988 is 0.966.
    made, taken = attempts(held_out(253 / 256, 1.0, 30.0), held_out(254 / 256, 1.0, 30.0))

    assert (len(made), taken) == (2, 1)


def test_of_few_images_none_may_change_its_class() -> None:
    goal = Goal(0.99, images=16)

    assert goal.is_reached_by(held_out(1.0, 1.0, 30.0))
    assert not goal.is_reached_by(held_out(15 / 16, 1.0, 30.0))


def test_one_that_holds_amid_noise_is_not_the_last_word() -> None:
    made, taken = attempts(held_out(1.0, 1.0, 15.0), held_out(1.0, 1.0, 30.0))

    assert (len(made), taken) == (2, 1)


def test_of_those_that_are_nearly_as_quiet_the_cheapest_is_taken() -> None:
    _, taken = attempts(held_out(1.0, 1.0, 20.0), held_out(1.0, 1.0, 25.0), held_out(1.0, 1.0, 26.0))

    assert taken == 1


def test_if_none_holds_the_one_that_misses_least_is_taken() -> None:
    made, taken = attempts(held_out(0.9, 1.0, 30.0), held_out(0.98, 1.0, 20.0), held_out(0.97, 1.0, 25.0))

    assert (len(made), taken) == (3, 1)


def test_fallbacks_are_for_what_nothing_else_reaches() -> None:
    enough, _ = attempts(held_out(1.0, 1.0, 30.0), fallbacks=[held_out(1.0, 1.0, 40.0)])
    not_enough, taken = attempts(
        held_out(0.9, 1.0, 20.0), fallbacks=[held_out(1.0, 1.0, 31.0), held_out(1.0, 1.0, 40.0)]
    )

    assert len(enough) == 1
    assert (len(not_enough), taken) == (2, 1)


def test_the_librarys_own_default_is_taken_where_it_is_better() -> None:
    made, taken = attempts(held_out(1.0, 1.0, 30.0), default=held_out(1.0, 1.0, 33.0))
    _, hardly_better = attempts(held_out(1.0, 1.0, 30.0), default=held_out(1.0, 1.0, 31.0))
    _, not_taken = attempts(held_out(1.0, 1.0, 30.0), default=held_out(0.98, 1.0, 35.0))

    assert taken == len(made)
    assert (not_taken, hardly_better) == (0, 0)


def test_the_manifest_says_what_each_layer_in_float_saves_and_costs() -> None:
    found = costs([0.1, 0.2, 0.1], [between("layer0", "layer1", noise=0.6)])
    first, second = reasons(found, ("layer0", "layer1"))

    assert (first.module, first.share_of_macs) == ("layer0", 0.02)
    assert first.share_of_error == pytest.approx(0.1)
    assert second.share_of_error == pytest.approx(0.8)
