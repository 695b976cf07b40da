"""Which sums run in int8: the rule alone, on the steps of small graphs."""

import pytest

from export.quantisation.sums import Kind, Step, sums_in_float

IMAGES = Step("images", Kind.INPUT, ())
STEM = Step("stem", Kind.CONVOLUTION, ("images",))
POOL = Step("pool", Kind.OTHER, ("stem",))
CONVOLUTION = Step("convolution", Kind.CONVOLUTION, ("pool",))
LINEAR = Step("linear", Kind.MATRIX, ("pool",))
SCALED = Step("scaled", Kind.OTHER, ("linear", "constant"))
CONSTANT = Step("constant", Kind.CONSTANT, ())
RESHAPED = Step("reshaped", Kind.OTHER, ("constant",))
BEFORE = (IMAGES, STEM, POOL, CONVOLUTION, LINEAR, CONSTANT, SCALED, RESHAPED)


def test_a_sum_of_what_convolutions_give_runs_in_int8_and_so_does_the_next() -> None:
    first = Step("first", Kind.SUM, ("pool", "convolution"))
    second = Step("second", Kind.SUM, ("first", "convolution"))

    assert sums_in_float((*BEFORE, first, second)) == set()


@pytest.mark.parametrize("other", ["images", "constant", "reshaped", "linear", "scaled"])
def test_a_sum_with_something_else_stays_in_fp32_and_so_does_the_next(other: str) -> None:
    first = Step("first", Kind.SUM, ("convolution", other))
    second = Step("second", Kind.SUM, ("pool", "first"))

    assert sums_in_float((*BEFORE, first, second)) == {"first", "second"}


def test_features_that_linear_layers_scale_are_still_those_of_a_convolution() -> None:
    excited = Step("excited", Kind.OTHER, ("convolution", "scaled"))

    assert sums_in_float((*BEFORE, excited, Step("sum", Kind.SUM, ("pool", "excited")))) == set()


def test_a_constant_that_is_no_operand_of_a_sum_decides_nothing() -> None:
    product = Step("product", Kind.OTHER, ("convolution", "constant"))

    assert sums_in_float((*BEFORE, product, Step("sum", Kind.SUM, ("pool", "product")))) == set()
