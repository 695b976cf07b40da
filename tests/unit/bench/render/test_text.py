"""Titles of reports, and sentences of several rows that differ only in their numbers: they are said once."""

from making.compared_report import Row, made_report

from bench.markdown_text import escaped
from bench.render.text import merge, titles_of


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


def test_sentences_that_hold_a_range_are_merged_only_with_their_equals() -> None:
    said = [("a", "0.9 (0.8 to 1.0)"), ("b", "0.7 (0.6 to 0.8)"), ("c", "0.9 (0.8 to 1.0)")]

    assert merge(said) == [("a, c", "0.9 (0.8 to 1.0)"), ("b", "0.7 (0.6 to 0.8)")]


def test_many_rows_are_counted() -> None:
    assert merge([(name, "same") for name in "abcde"]) == [("a, b and 3 more", "same")]


def test_reports_of_one_profile_have_their_own_names() -> None:
    one = made_report({"onnx-fp32": Row(10)}, name="monday")
    other = made_report({"onnx-fp32": Row(11)}, name="tuesday")

    assert titles_of([one]) == ["laptop-cpu"]
    assert titles_of([one, other]) == [
        f"laptop-cpu, {one.host.cpu}, {name}" for name in ("monday", "tuesday")
    ]


def test_markdown_has_no_character_that_talks_to_a_terminal() -> None:
    assert escaped("red\x1b[31m\nline") == r"red\\x1b\[31m line"
