"""Help that helps: examples that the parser takes, --quiet and --json everywhere, and completion."""

import shlex

import pytest
from making.repository import ROOT
from making.shown_commands import commands, examples, shown
from typer.core import TyperCommand

from edgefit.app import COMMANDS


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_command_has_examples_that_call_it_and_can_be_quiet_and_json(
    words: str, command: TyperCommand
) -> None:
    options = {name for parameter in command.params for name in parameter.opts}

    assert {"--quiet", "--json"} <= options
    assert examples(command)
    assert all(line.startswith(words) for line in examples(command))


def test_every_file_of_a_command_is_in_the_table_of_commands() -> None:
    files = {path.stem for path in (ROOT / "edgefit" / "commands").glob("*.py")} - {"__init__"}

    assert set(COMMANDS) == files
    assert {words.split()[1] for words, _ in commands()} == files


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
