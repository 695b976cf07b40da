"""Help that helps: examples that the parser takes, --quiet and --json everywhere, and completion."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from making.command_line import EDGEFIT, edgefit
from making.compared_report import Row, made_report
from making.shown_commands import commands, examples, shown
from typer.core import TyperCommand

from bench.report.files import write_report


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
    monkeypatch.setattr("edgefit.terminal._is_hushed", False)  # and put back: parsing --quiet sets it
    called, command = next(one for one in commands() if f"{line} ".startswith(f"{one[0]} "))
    words = shlex.split(line.removeprefix(called))

    parsed = command.make_context(called, words)  # raises what the parser refuses

    assert parsed.args == []
    assert not {word for word in words if word.startswith("--")} - {
        option for one in command.params for option in one.opts
    }


def test_quiet_says_nothing_but_errors(tmp_path: Path) -> None:
    write_report(tmp_path / "r.json", made_report({"onnx-fp32": Row(10)}))

    done = edgefit("report", tmp_path / "r.json", "--csv", tmp_path / "r.csv", "--quiet")
    document = edgefit("choose", tmp_path / "r.json", "--quiet", "--json")
    wrong = edgefit("report", tmp_path / "none.json", "--quiet")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "r.csv").exists()
    assert document.stdout.startswith('{"schema": 1')
    assert document.stderr == ""
    assert wrong.returncode == 2
    assert "no such report" in wrong.stderr


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("edgefit ch", ["choose", "check"]),
        ("edgefit bench b --profile raspberry-pi-z", ["raspberry-pi-zero-2w"]),
        ("edgefit choose r.json --prefer s", ["size"]),
    ],
)
def test_a_shell_completes_commands_profiles_and_preferences(line: str, completed: list[str]) -> None:
    asked = {"_EDGEFIT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}

    done = subprocess.run(EDGEFIT, env=os.environ | asked, capture_output=True, text=True, check=False)

    assert done.stdout.split() == completed
