"""What is a good name: one line of text that every output shows as it is."""

import pytest

from user_files.names import why_no_name


@pytest.mark.parametrize(
    "name",
    [
        "night run 3",
        "Röntgen, Größe 4 µs",
        "胸部　写真",
        "\u0645\u06cc\u200c\u062e\u0648",  # Persian, with a joiner
        "a\N{NO-BREAK SPACE}b",
        "=1+1",
        "a" * 1000,
    ],
)
def test_one_line_in_letters_of_any_language_is_a_name(name: str) -> None:
    assert why_no_name(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "it is empty"),
        (" \t", "it is empty"),
        ("Mend it\n\nDetails", "it has several lines"),
        *((f"a{end}b", "it has several lines") for end in "\n\r\v\f\x85\u2028\u2029"),
        ("a\tb", r"it has a control character (\t)"),
        ("a\x1b[2J", r"it has a control character (\x1b)"),
        ("a\x9b2J", r"it has a control character (\x9b)"),
        ("a\udcfc", r"it is not UTF-8 (\udcfc)"),
        *((f"a{mark}b", "it has a mark that turns") for mark in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069"),
        *((f"a{sign}b", "it has a character that is") for sign in "\xad\u200b\u2060\ufeff\U000e0041"),
        ("a" * 1001, "it has 1,001 characters, of 1,000 at most"),
    ],
)
def test_what_no_output_shows_as_it_is_is_no_name(name: str, fault: str) -> None:
    assert (why_no_name(name) or "").startswith(fault)
