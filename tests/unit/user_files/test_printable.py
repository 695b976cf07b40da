"""Text from outside: what is followed or not seen is written out, and no line is a CI system's command."""

import json
from collections.abc import Callable

import pytest

from user_files.printable import (
    one_line,
    printable,
    printable_json,
    printable_lines,
    shortened,
    without_commands,
)


@pytest.mark.parametrize(
    "text",
    [
        *"\x00\x07\x1b\x7f\x85\x9b\xa0\xad",
        *"\u061c\u200b\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u2060\u2066\u2069\ufeff",
        *"\u034f\u115f\u1160\u17b4\u180b\u3164\ufe0f\uffa0\ue000\ufffe\ud800",
        *"\U000e0041\U000e0100",
    ],
)
def test_what_is_followed_or_not_seen_is_written_as_python_writes_it(text: str) -> None:
    assert printable(f"a{text}b") == f"a{ascii(text)[1:-1]}b"
    assert json.loads(printable_json(json.dumps([text], ensure_ascii=False))) == [text]
    assert text not in printable_json(json.dumps([text], ensure_ascii=False))


@pytest.mark.parametrize(
    "text", ["Größe 4 µs", "Việt Nam", "胸部　写真".replace("　", " "), "שלום عالم", "न्यूमोनिया", "ภาพ", "🫁"]
)
def test_letters_of_every_language_stay(text: str) -> None:
    assert printable(text) == text


def test_a_letter_with_dozens_of_marks_keeps_a_few() -> None:
    assert printable("a" + "\u0301" * 8 + "b") == "a" + "\u0301" * 6 + r"\u0301\u0301b"


def test_a_sentence_is_one_line_whatever_ends_its_lines() -> None:
    assert one_line("a\nb\r\nc\rd\ve\f\x85\u2028 f\t g\n") == "a b c d e f  g"


def test_of_a_very_long_text_the_beginning_is_shown() -> None:
    assert shortened("a" * 4000) == "a" * 4000
    assert shortened("a" * 10_000) == "a" * 4000 + "… (6,000 more characters)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::error::x", ": :error::x"),
        ("a\n \t::stop-commands::x", "a\n \t: :stop-commands::x"),
        ("\u2003::add-mask::x", "\u2003: :add-mask::x"),
        ("a ##[error]x", "a # #[error]x"),
        ("##vso[task.complete]", "# #vso[task.complete]"),
        ("###[x", "## #[x"),
        ("std::vector, a::b, ## heading [1]", "std::vector, a::b, ## heading [1]"),
    ],
)
def test_a_blank_takes_apart_what_begins_a_command(text: str, shown: str) -> None:
    assert without_commands(text) == shown


def test_json_says_the_same_without_a_command() -> None:
    document = json.dumps({"##[error]": "##vso[x] ###[y]"})

    assert json.loads(printable_json(document)) == json.loads(document)
    assert "##[" not in printable_json(document)
    assert "##vso[" not in printable_json(document)
    assert printable_json('{"a": "ü"}', is_unicode=False) == r'{"a": "\u00fc"}'


@pytest.mark.parametrize("piece", [" ", "\n", "\r\n", "\t", " \n", "#", ":", "\x1b[1m", "\x1b[", "\u0301"])
@pytest.mark.parametrize("function", [one_line, without_commands, printable, printable_lines, printable_json])
def test_a_long_text_of_one_sign_is_shown_at_once(function: Callable[[str], str], piece: str) -> None:
    # A pattern that looks at the rest of the text from each sign on would take minutes.
    function("x" + piece * 100_000 + "x")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a \n \r\n b", "a b"),
        ("\n a", " a"),
        ("a\n", "a"),
        ("a  b", "a  b"),
        (" a\n\n\tb\tc ", " a b c"),
        ("\n\n", ""),
        ("", ""),
    ],
)
def test_blanks_around_a_line_end_are_one_blank(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_a_command_behind_codes_of_colours_is_taken_apart() -> None:
    assert without_commands("x\n \x1b[1;2m ::error::x") == "x\n \x1b[1;2m : :error::x"
