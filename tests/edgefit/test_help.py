"""Help that helps: examples that the parser takes, --quiet and --json everywhere, and completion."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from making.command_line import EDGEFIT, edgefit
from making.compared_report import Row, made_report

from bench.reports.files import write_report
from edgefit.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_PLACEHOLDER = re.compile(r"…|\[[-a-z]|\||\b[A-Z]{2,}")


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with the words that call it."""

    def walk(command: click.Command, words: str) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group) or hasattr(command, "commands"):
            for name, inner in command.commands.items():
                yield from walk(inner, f"{words} {name}")
        else:
            yield words, command

    yield from walk(typer.main.get_command(app), "edgefit")


def examples(command: click.Command) -> list[str]:
    return re.findall(r"^ *(edgefit .*)$", command.help or "", re.MULTILINE)


def in_pages() -> list[str]:
    """The commands that README and docs show, but for those that are a pattern of what can be written."""
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"^```\w*\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    ]
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    found = [re.sub(r"\s+#.*$|\s{3,}.*$", "", line.strip().removeprefix("$ ")) for line in lines]
    return [line for line in found if line.startswith("edgefit ") and not _PLACEHOLDER.search(line)]


@pytest.mark.parametrize(("words", "command"), list(commands()))
def test_every_command_has_examples_that_call_it_and_can_be_quiet_and_json(
    words: str, command: click.Command
) -> None:
    options = {name for parameter in command.params for name in parameter.opts}

    assert {"--quiet", "--json"} <= options
    assert examples(command)
    assert all(line.startswith(words) for line in examples(command))


@pytest.mark.parametrize("line", sorted({*in_pages(), *(e for _, c in commands() for e in examples(c))}))
def test_every_command_that_is_shown_is_one_that_the_parser_takes(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = typer.main.get_command(app)
    context = click.Context(command, info_name="edgefit")
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]

    command.make_context(words[0] if words else "", words, parent=context)  # raises what it refuses


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
