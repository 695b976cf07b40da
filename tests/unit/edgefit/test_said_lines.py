"""Sentences that a command says: each is one line, whose text nothing interprets."""

import pytest

from edgefit.terminal import Output


@pytest.mark.parametrize("sentence", ["[bold]a[/x]", "a :warning: b", "\\[a]", "C:\\"])
def test_a_sentence_is_said_as_it_is(sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).say(sentence)

    assert capsys.readouterr().out == f"{sentence}\n"


def test_a_sentence_of_a_million_backslashes_is_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    # Escaping them as markup takes a time that grows with their square.
    Output(as_json=False).say("\\" * 1_000_000)

    assert "more characters" in capsys.readouterr().out
