"""Help that helps: examples that the parser takes, --quiet and --json everywhere, and completion."""

import shlex

import pytest
from making.shown_commands import commands, examples, shown
from typer.core import TyperCommand


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_command_has_examples_that_call_it_and_can_be_quiet_and_json(
    words: str, command: TyperCommand
) -> None:
    options = {name for parameter in command.params for name in parameter.opts}

    assert {"--quiet", "--json"} <= options
    assert examples(command)
    assert all(line.startswith(words) for line in examples(command))


@pytest.mark.parametrize("line", shown())
def test_every_command_that_is_shown_is_one_that_the_parser_takes(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgefit.terminal._is_quiet", False)  # and put back: parsing --quiet sets it
    called, command = next(one for one in commands() if f"{line} ".startswith(f"{one[0]} "))
    words = shlex.split(line.removeprefix(called))

    parsed = command.make_context(called, words)  # raises what the parser refuses

    assert parsed.args == []
    assert not {word for word in words if word.startswith("--")} - {
        option for one in command.params for option in one.opts
    }
