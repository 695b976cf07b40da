"""Counts and lists in words."""

from user_files.wording import listed


def test_names_with_commas_are_in_quotes_and_others_are_not() -> None:
    assert listed(["normal", "ill"]) == "normal, ill"
    assert listed(["normal", "ill, or not"]) == "'normal', 'ill, or not'"


def test_of_a_thousand_names_twenty_are_listed() -> None:
    names = [f"kind {index}" for index in range(1000)]

    assert listed(names).endswith("kind 19 and 980 more")
    assert listed(names[:20]).endswith("kind 18, kind 19")
