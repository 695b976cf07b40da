"""A recipe describes what was done."""

import pytest

from bench.bundle.recipe import RangeMethod, Recipe


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
