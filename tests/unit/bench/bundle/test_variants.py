"""Variants are written FORMAT-PRECISION."""

import pytest

from bench.bundle.variants import Precision, Variant
from bench.errors import InputError


def test_a_variant_is_read_as_it_is_written() -> None:
    variant = Variant.parse("onnx-int8")

    assert (variant.format, variant.precision) == ("onnx", Precision.INT8)
    assert str(variant) == "onnx-int8"


@pytest.mark.parametrize("text", ["onnx", "onnx-int4", "", "-"])
def test_what_is_no_variant_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match=f"'{text}' is not a variant; write FORMAT-PRECISION"):
        Variant.parse(text)
