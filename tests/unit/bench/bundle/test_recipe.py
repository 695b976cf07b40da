"""A recipe describes what was done."""

import pytest
from pydantic import ValidationError

from bench.bundle.recipe import Attempt, HeldOut, RangeMethod, Recipe, Search


@pytest.mark.parametrize(
    ("recipe", "description"),
    [
        (Recipe(library_default=True), "the library's own defaults"),
        (Recipe(corrected=False), f"{Recipe().ranges.value} ranges"),
        (Recipe(qat=True), "quantisation-aware training"),
        (Recipe(ranges=RangeMethod.HISTOGRAM), "histogram ranges, cross-layer equalisation"),
    ],
)
def test_a_recipe_is_described(recipe: Recipe, description: str) -> None:
    assert description in recipe.description


@pytest.mark.parametrize("chosen", [2, 7])
def test_a_search_chose_one_of_its_attempts(chosen: int) -> None:
    with pytest.raises(ValidationError, match=f"'chosen' is {chosen}, but there are 2 attempts"):
        search(chosen)
    assert search(0).best.seconds == 0
    assert search(1).best.seconds == 1


def search(chosen: int) -> Search:
    """Return a search with two attempts, which took none and one second."""
    held_out = HeldOut(agreement=1, retention=1, sqnr_db=None)
    attempts = [
        Attempt(recipe=Recipe(), share_in_fp32=0, held_out=held_out, seconds=seconds) for seconds in (0, 1)
    ]
    return Search(
        min_retention=1,
        min_agreement=1,
        images=1,
        attempts=tuple(attempts),
        chosen=chosen,
        meets_goal=True,
        excluded_modules=(),
        seconds=1,
    )
