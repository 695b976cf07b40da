"""Which int8 recipes are tried and which one is chosen: figures alone, no network."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest

from bench.bundle.evaluation_pack import EvaluationPack
from bench.bundle.judged_output import CLASSES
from bench.bundle.recipe import Attempt, HeldOut, LostClass, RangeMethod, Recipe
from bench.statistics.accuracy import agreement_low
from export.best_artifact import explain, held_out_result
from export.messages import SearchTask
from export.quantisation.candidates import (
    LIBRARY_DEFAULT,
    MOST_MACS_IN_FP32,
    Candidates,
    candidates_for,
    default_recipe,
    excluded_sets,
)
from export.quantisation.search import LEAST_IN_INT8, Goal, count_untried, is_mostly_int8, search
from export.quantisation.sensitivity import Activation, Layer, Sensitivity

NAMES = [f"layer{number}" for number in range(8)]


def layer(name: str, noise: float, macs: float = 0.125, convolution: bool = True) -> Layer:
    return Layer(
        name=name, is_convolution=convolution, share_of_macs=macs, share_of_weights=0.01, noise=noise
    )


def sensitivity(
    noises: Sequence[float], activations: Sequence[Activation] = (), macs: float = 0.02
) -> Sensitivity:
    layers = [layer(name, noise, macs) for name, noise in zip(NAMES, noises, strict=False)]
    return Sensitivity(layers=tuple(layers), activations=tuple(activations))


def between(*names: str, noise: float, summed: bool = False) -> Activation:
    return Activation(noise=noise, layers=names, summed=summed)


def test_a_tensor_stays_in_fp32_only_if_all_its_layers_do() -> None:
    network = sensitivity([0.1, 0.1], [between("layer0", "layer1", noise=0.5), between("layer1", noise=0.25)])

    assert network.noise(frozenset()) == pytest.approx(0.95)
    assert network.noise(frozenset({"layer0"})) == pytest.approx(0.85)
    assert network.noise(frozenset({"layer0", "layer1"})) == 0


def test_an_operand_of_a_sum_is_always_rounded() -> None:
    network = sensitivity([0.0], [between("layer0", noise=0.5, summed=True)])

    assert network.noise(frozenset({"layer0"})) == 0.5


def test_the_layers_that_gain_most_for_their_work_are_excluded_first() -> None:
    network = sensitivity([0.001, 0.01, 0.1, 0.001, 0.001])
    first, second, *_ = excluded_sets(network)

    assert first == frozenset()
    assert second == frozenset({"layer2"})


def test_layers_that_gain_only_together_are_found() -> None:
    network = sensitivity([0.001] * 5, [between("layer1", "layer2", "layer3", noise=0.5)])

    assert frozenset({"layer1", "layer2", "layer3"}) in excluded_sets(network)


def test_sets_grow_and_keep_most_of_the_work_and_the_weights_in_int8() -> None:
    network = sensitivity([0.1 / 2**number for number in range(8)], macs=0.05)
    sets = excluded_sets(network)

    assert len(sets) > 2
    assert all(smaller < larger for smaller, larger in pairwise(sets))
    assert network.share_of_macs(sets[-1]) <= 0.15
    assert network.share_of_weights(sets[-1]) <= 0.03


def test_a_linear_layer_behind_convolutions_is_never_excluded() -> None:
    body = tuple(layer(f"body{number}", 1e-6) for number in range(8))
    head = layer("head", 0.5, 0.01, convolution=False)

    assert not any(
        "head" in names for names in excluded_sets(Sensitivity(layers=(*body, head), activations=()))
    )


def test_a_network_of_linear_layers_has_sets_of_them() -> None:
    layers = (layer("first", 0.5, 0.01, convolution=False), layer("rest", 0.01, 0.9, convolution=False))

    assert excluded_sets(Sensitivity(layers=layers, activations=()))[-1] == {"first"}


def test_the_first_recipe_is_the_cheapest_with_a_high_enough_prediction() -> None:
    candidates = candidates_for(sensitivity([0.1, 0.0001, 0.0001]), qat=False)

    assert candidates.recipes[0] == Recipe(excluded_modules=("layer0",))
    assert candidates.fallbacks[-1].ranges is RangeMethod.HISTOGRAM
    assert all(recipe.corrected for recipe in candidates.recipes)


def test_large_excluded_sets_and_training_are_fallbacks() -> None:
    network = sensitivity([0.1, 0.05, 0.02, 0.01], macs=0.03)
    candidates = candidates_for(network, qat=True)

    assert all(
        network.share_of_macs(frozenset(recipe.excluded_modules)) <= 0.05 for recipe in candidates.recipes
    )
    assert any(
        network.share_of_macs(frozenset(recipe.excluded_modules)) > 0.05 for recipe in candidates.fallbacks
    )
    assert [recipe.qat for recipe in candidates.fallbacks].index(True) == len(candidates.fallbacks) - 1
    assert not any(recipe.qat for recipe in candidates_for(network, qat=False).fallbacks)


def test_an_insensitive_network_is_first_tried_all_in_int8() -> None:
    assert candidates_for(sensitivity([0.0001, 0.0001]), qat=False).recipes[0].excluded_modules == ()


def test_without_a_search_the_first_layers_are_excluded() -> None:
    assert default_recipe(NAMES).excluded_modules == ("layer0", "layer1", "layer2")


IMAGES = 256


def run_search(
    *recipes: HeldOut | None,
    fallbacks: Sequence[HeldOut | None] = (),
    default: HeldOut | None = None,
    shares_in_int8: Sequence[float | None] = (),
    default_in_int8: float | None = None,
) -> tuple[list[Attempt], int]:
    results, shares = [*recipes, *fallbacks], list(shares_in_int8)

    def attempt(recipe: Recipe) -> Attempt | None:
        share = shares.pop(0) if shares else None
        if (result := results.pop(0)) is None:
            return None
        return Attempt(recipe=recipe, share_in_fp32=0.0, share_in_int8=share, held_out=result, seconds=0.0)

    def try_default() -> Attempt | None:
        if default is None:
            return None
        return Attempt(
            recipe=LIBRARY_DEFAULT,
            share_in_fp32=0.0,
            share_in_int8=default_in_int8,
            held_out=default,
            seconds=0.0,
        )

    candidates = Candidates(recipes=(Recipe(),) * len(recipes), fallbacks=(Recipe(),) * len(fallbacks))
    made, chosen = search(candidates, attempt, try_default, Goal(0.99, IMAGES))
    return [attempt for attempt in made if not attempt.recipe.library_default], chosen


def test_a_recipe_that_fails_is_passed_over() -> None:
    good = held_out(1.0, 1.0, 40.0)

    made, chosen = run_search(None, good)

    assert [attempt.held_out for attempt in made] == [good]
    assert chosen == 0


def test_the_librarys_default_is_used_if_every_recipe_fails() -> None:
    assert run_search(None, fallbacks=[None], default=held_out(0.9, 0.9, 9.0)) == ([], 0)


def test_no_attempt_is_left_if_everything_fails() -> None:
    assert run_search(None, None) == ([], 0)


@pytest.mark.parametrize(("affordable", "plain_ones", "untried"), [(1, 1, 2), (2, 2, 1), (9, 3, 0)])
def test_a_search_out_of_time_tries_no_more_recipes_but_training(
    affordable: int, plain_ones: int, untried: int
) -> None:
    tried: list[Recipe] = []

    def attempt(recipe: Recipe) -> Attempt:
        tried.append(recipe)
        return Attempt(recipe=recipe, share_in_fp32=0.0, held_out=held_out(0.9, 1.0, 9.0), seconds=0.0)

    plain, goal = Recipe(), Goal(0.99, IMAGES)
    candidates = Candidates(recipes=(plain, plain), fallbacks=(plain, Recipe(qat=True)))
    made, _ = search(
        candidates, attempt, lambda: None, goal, lambda recipe: recipe.qat or len(tried) < affordable
    )

    assert [recipe.qat for recipe in tried] == [False] * plain_ones + [True]
    assert count_untried(candidates, made, 0, goal) == untried


def test_the_first_recipe_is_tried_even_without_time() -> None:
    result = held_out(1.0, 1.0, 40.0)
    made, chosen = search(
        Candidates(recipes=(Recipe(), Recipe()), fallbacks=()),
        lambda recipe: Attempt(recipe=recipe, share_in_fp32=0.0, held_out=result, seconds=0.0),
        lambda: None,
        Goal(0.99, IMAGES),
        lambda _recipe: False,
    )

    assert (len(made), chosen) == (1, 0)
    assert count_untried(Candidates(recipes=(Recipe(),) * 2, fallbacks=()), made, 0, Goal(0.99, IMAGES)) == 0


def held_out(agreement: float, retention: float, sqnr_db: float | None) -> HeldOut:
    return HeldOut(agreement=agreement, retention=retention, sqnr_db=sqnr_db)


def test_the_search_ends_with_the_first_recipe_that_meets_the_goal() -> None:
    made, chosen = run_search(held_out(0.98, 1.0, 30.0), held_out(1.0, 0.99, 30.0), held_out(1.0, 1.0, 40.0))

    assert (len(made), chosen) == (2, 1)


def test_an_agreement_that_chance_could_give_is_not_enough() -> None:
    # 0.992 of 256 images: the lower end of its interval is 0.972, and that of 0.988 is 0.966.
    made, chosen = run_search(held_out(253 / 256, 1.0, 30.0), held_out(254 / 256, 1.0, 30.0))

    assert (len(made), chosen) == (2, 1)


def test_if_images_are_few_none_may_change_its_class() -> None:
    goal = Goal(0.99, images=16)

    assert goal.is_met_by(held_out(1.0, 1.0, 30.0))
    assert not goal.is_met_by(held_out(15 / 16, 1.0, 30.0))


def test_a_recipe_with_too_much_noise_does_not_end_the_search() -> None:
    made, chosen = run_search(held_out(1.0, 1.0, 15.0), held_out(1.0, 1.0, 30.0))

    assert (len(made), chosen) == (2, 1)


def test_among_recipes_with_nearly_equal_noise_the_cheapest_is_chosen() -> None:
    _, chosen = run_search(held_out(1.0, 1.0, 20.0), held_out(1.0, 1.0, 25.0), held_out(1.0, 1.0, 26.0))

    assert chosen == 1


def test_if_no_recipe_meets_the_goal_the_smallest_shortfall_is_chosen() -> None:
    made, chosen = run_search(held_out(0.9, 1.0, 30.0), held_out(0.98, 1.0, 20.0), held_out(0.97, 1.0, 25.0))

    assert (len(made), chosen) == (3, 1)


def test_one_image_does_not_outweigh_a_lot_of_noise() -> None:
    one_image = 1 / IMAGES
    _, chosen = run_search(held_out(0.97, 1.0, 14.0), held_out(0.97 - one_image, 1.0, 26.0))
    _, of_default = run_search(
        held_out(0.97 - one_image, 1.0, 26.0), default=held_out(0.97, 1.0, 10.0), default_in_int8=1.0
    )

    assert (chosen, of_default) == (1, 0)


def test_fallbacks_are_tried_only_if_nothing_else_meets_the_goal() -> None:
    enough, _ = run_search(held_out(1.0, 1.0, 30.0), fallbacks=[held_out(1.0, 1.0, 40.0)])
    not_enough, chosen = run_search(
        held_out(0.9, 1.0, 20.0), fallbacks=[held_out(1.0, 1.0, 31.0), held_out(1.0, 1.0, 40.0)]
    )

    assert len(enough) == 1
    assert (len(not_enough), chosen) == (2, 1)


def test_the_library_default_is_chosen_if_it_is_better() -> None:
    made, chosen = run_search(held_out(1.0, 1.0, 30.0), default=held_out(1.0, 1.0, 33.0))
    _, hardly_better = run_search(held_out(1.0, 1.0, 30.0), default=held_out(1.0, 1.0, 31.0))
    _, not_chosen = run_search(held_out(1.0, 1.0, 30.0), default=held_out(0.98, 1.0, 35.0))

    assert chosen == len(made)
    assert (not_chosen, hardly_better) == (0, 0)


def test_what_runs_mostly_in_fp32_is_not_chosen_for_being_more_exact() -> None:
    good, exact = held_out(1.0, 1.0, 30.0), held_out(1.0, 1.0, 60.0)

    _, by_default = run_search(good, default=exact, shares_in_int8=[0.9], default_in_int8=0.3)
    made, by_recipe = run_search(exact, good, shares_in_int8=[0.3, 0.8])
    _, not_good = run_search(exact, held_out(0.98, 1.0, 25.0), shares_in_int8=[0.3, 0.8])

    assert by_default == 0
    assert (len(made), by_recipe) == (2, 1)
    assert not_good == 1


def test_if_everything_runs_mostly_in_fp32_the_best_is_chosen() -> None:
    made, chosen = run_search(held_out(0.9, 1.0, 20.0), held_out(1.0, 1.0, 30.0), shares_in_int8=[0.5, 0.5])

    assert chosen == 1
    assert not Goal(0.99, IMAGES).is_reached_by(made[chosen])


def test_each_excluded_module_has_its_share_of_the_work_and_the_error() -> None:
    network = sensitivity([0.1, 0.2, 0.1], [between("layer0", "layer1", noise=0.6)])
    first, second = explain(network, ("layer0", "layer1"))

    assert (first.module, first.share_of_macs) == ("layer0", 0.02)
    assert first.share_of_error == pytest.approx(0.1)
    assert second.share_of_error == pytest.approx(0.8)


ILL = np.array([0] * 400 + [1] * 4, dtype=np.int64)


def judged(labels: npt.NDArray[np.int64], answers: npt.NDArray[np.int64], classes: int) -> HeldOut:
    """The result of an artifact with these answers, where the source is right on all held-out images."""
    pack = EvaluationPack(images=None, labels=labels, reference_logits=_scores(labels, classes))
    task = SearchTask(
        candidates=Candidates(recipes=(Recipe(),), fallbacks=()),
        held_out="",
        min_retention=0.99,
        sensitivity=sensitivity([0.1]),
        classes=("healthy", "ill") if classes == 2 else (),
        positive_class=1 if classes == 2 else None,
    )
    return held_out_result(_scores(answers, classes), pack, CLASSES, task)


def _scores(answers: npt.NDArray[np.int64], classes: int) -> npt.NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)[answers] * 9


def test_an_attempt_that_finds_no_ill_image_is_rejected_whatever_its_accuracy() -> None:
    healthy = judged(ILL, np.zeros_like(ILL), 2)

    assert healthy.retention is not None
    assert healthy.retention > 0.99
    assert Goal(0.99, len(ILL)).agreement < agreement_low(400 / 404, 404)
    assert [lost.name for lost in healthy.lost_classes] == ["ill"]
    assert not Goal(0.99, len(ILL), sqnr_db=0.0).is_met_by(healthy)
    assert Goal(0.99, len(ILL), sqnr_db=0.0).is_met_by(healthy.model_copy(update={"lost_classes": ()}))


def test_an_attempt_that_halves_one_of_nine_classes_is_rejected() -> None:
    labels = np.array([index for index in range(9) for _ in range(12 if index == 5 else 250)], dtype=np.int64)
    answers = labels.copy()
    answers[np.flatnonzero(labels == 5)[:6]] = 0

    halved, same = judged(labels, answers, 9), judged(labels, labels, 9)

    assert [(lost.name, lost.images, lost.recall) for lost in halved.lost_classes] == [("5", 12, 0.5)]
    goal = Goal(0.99, len(labels), sqnr_db=0.0)
    assert (goal.is_met_by(halved), goal.is_met_by(same)) == (False, True)
    assert goal.shortfall(halved) == 0.5


def test_the_search_goes_on_after_a_recipe_that_loses_a_class() -> None:
    lossy = held_out(1.0, 1.0, 40.0).model_copy(
        update={"lost_classes": (LostClass(name="ill", images=4, recall=0, reference_recall=1),)}
    )

    made, chosen = run_search(lossy, held_out(1.0, 1.0, 40.0), held_out(1.0, 1.0, 50.0))

    assert (len(made), chosen) == (2, 1)


@pytest.mark.parametrize(
    ("in_fp32", "in_int8", "expected"),
    [
        (MOST_MACS_IN_FP32, LEAST_IN_INT8, True),
        (MOST_MACS_IN_FP32, LEAST_IN_INT8 - 0.01, False),
        (MOST_MACS_IN_FP32 + 0.07, LEAST_IN_INT8 - 0.07, True),
        (MOST_MACS_IN_FP32 + 0.07, LEAST_IN_INT8 - 0.08, False),
    ],
)
def test_what_a_format_has_in_fp32_beyond_a_recipe_does_not_count_against_it(
    in_fp32: float, in_int8: float, expected: bool
) -> None:
    attempt = Attempt(
        recipe=Recipe(),
        share_in_fp32=in_fp32,
        share_in_int8=in_int8,
        held_out=held_out(1.0, 1.0, 40.0),
        seconds=0.0,
    )

    assert is_mostly_int8(attempt) == expected
