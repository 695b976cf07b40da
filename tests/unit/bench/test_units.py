"""How numbers are written."""

import pytest

from bench.units import written


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(10.434, 2, "10.43"), (0.0513, 2, "0.051"), (0.000657, 2, "0.00066"), (0, 2, "0.00"), (0.05, 1, "0.1")],
)
def test_a_number_near_0_keeps_two_significant_digits(value: float, digits: int, text: str) -> None:
    assert written(value, digits) == text
