"""Sentences of several rows that differ only in their numbers are said once."""

from bench.render.merged import merge


def test_numbers_that_differ_become_a_range_and_equal_ones_stay() -> None:
    said = [
        ("onnx-fp32", "spread over 24% of 8 turns"),
        ("onnx-int8", "spread over 9.5% of 8 turns"),
        ("openvino-fp32", "another thing"),
    ]

    assert merge(said) == [
        ("onnx-fp32, onnx-int8", "spread over 9.5 to 24% of 8 turns"),
        ("openvino-fp32", "another thing"),
    ]


def test_signs_count_and_names_with_digits_are_no_numbers() -> None:
    said = [("a", "p50 drifted by +18%, int8"), ("b", "p50 drifted by -7%, int8")]

    assert merge(said) == [("a, b", "p50 drifted by -7 to +18%, int8")]


def test_many_rows_are_counted() -> None:
    assert merge([(name, "same") for name in "abcde"]) == [("a, b and 3 more", "same")]
