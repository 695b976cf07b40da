"""Text that users read has the standard terms of docs/glossary.md, and none of the words they replaced.

A failure names the place, the retired word, and what to write instead. Modules that read files of schema 1
have the old keys in them and are the only exception.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from making.public_records import PUBLIC_RECORDS, with_nested
from making.repository import ROOT
from making.shown_commands import OTHER_PAGES, PAGES, commands
from pydantic import BaseModel
from typer.testing import CliRunner

from bench.gate.document import Checked
from edgefit.app import app

PACKAGES = ("bench", "export", "models", "edgefit", "device_profiles", "user_files")
DATA_ENDINGS = (".yaml", ".json", ".jinja", ".js", ".css", ".txt")
# Every retired word with its forms, and the standard term to write instead.
RETIRED = {
    r"yardsticks?": "control workload; as a key: control",
    r"per[_ ]yardstick": "relative_to_control",
    r"standing": "provenance: measured, proxy or projected",
    r"stand[-_]ins?|(?:stand|stands|stood|standing) in for": "proxy",
    r"looks": "check_after_processes; of a person: sees, probes",
    r"(?:second|last) looks?|looked (?:at )?again|looks? again": "confirmation run",
    r"suspicions?": "suspected regression",
    r"duels?|fighters?": "paired run; one half of it: side",
    r"moods?": "noise, or drift",
    r"doubts?|doubted|doubtful": "warning",
    r"hogs?": "background load",
    r"sights?": "probe",
    r"told|untold": "available, or missing",
    r"hears?|heard": "receive",
    r"obeys?|obeyed": "handle",
    r"greets?|greeted|greeting": "ready",
    r"kept answers?": "prediction cache",
    r"companions?": "control workload, or control",
    r"unfit|misfits?": "incompatible",
    r"left in float|left_in_float": "excluded modules, kept in fp32",
    r"resorts?": "fallback recipe",
    r"wish|wishes|wished": "criteria",
    r"contenders?": "candidate",
    r"hush|hushed|hushes": "quiet",
    r"likeness(?:es)?": "profile match",
}
_PATTERNS = {
    re.compile(rf"(?<![A-Za-z])(?:{forms})(?![A-Za-z])", re.IGNORECASE): standard
    for forms, standard in RETIRED.items()
}


def retired_words(text: str) -> list[str]:
    """The retired words in a text, each with what to write instead."""
    return [
        f"'{match[0]}': write {standard}"
        for pattern, standard in _PATTERNS.items()
        for match in pattern.finditer(text)
    ]


def findings_in(path: Path) -> list[str]:
    """The retired words of a file, line by line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{path.relative_to(ROOT)}:{number}: {finding}"
        for number, line in enumerate(lines, start=1)
        for finding in retired_words(line)
    ]


def hold(findings: list[str]) -> None:
    """Fail with one line for each finding."""
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def sources() -> list[Path]:
    """The Python files whose text is held to the words: all but those that read schema 1."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [path for path in files if path.name != "schema1.py"]


def data_files() -> list[Path]:
    """Profiles, their schema, the page's sources, and the text that is copied out."""
    return [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*"))
        if path.suffix in DATA_ENDINGS
    ]


def texts(source: str) -> Iterator[tuple[int, str]]:
    """The string literals of a module with their lines; docstrings of modules, classes and functions aside.

    A string below a field is its description, which the JSON Schemas show.
    """
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def keys(record: type[BaseModel]) -> list[str]:
    """The keys of a record and of all records within it, each as Record.key."""
    return [
        f"{inner.__name__}.{field.alias or name}"
        for inner in with_nested(record)
        for name, field in inner.model_fields.items()
    ]


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        ("ratios per_yardstick", "control"),
        ("The last look of a Suspicion", "suspected regression"),
        ("standing in for a board", "proxy"),
        ("where the kernel told it", "available"),
    ],
)
def test_a_retired_word_is_refused_with_the_standard_term(text: str, standard: str) -> None:
    assert any(standard in finding for finding in retired_words(text))


@pytest.mark.parametrize(
    "text", ["outstanding", "it looked at the board", "understand", "a resolution", "hogwash"]
)
def test_words_that_contain_a_retired_one_are_not_refused(text: str) -> None:
    assert retired_words(text) == []


def test_string_literals_have_no_retired_word() -> None:
    findings = [
        f"{path.relative_to(ROOT)}:{line}: {finding}"
        for path in sources()
        for line, text in texts(path.read_text(encoding="utf-8"))
        for finding in retired_words(text)
    ]

    hold(findings)


@pytest.mark.parametrize("path", data_files(), ids=lambda path: path.name)
def test_data_files_have_no_retired_word(path: Path) -> None:
    hold(findings_in(path))


@pytest.mark.parametrize("path", [*PAGES, *OTHER_PAGES], ids=lambda path: path.name)
def test_pages_have_no_retired_word(path: Path) -> None:
    hold(findings_in(path))


def test_what_is_unreleased_in_the_changelog_has_no_retired_word() -> None:
    sections = re.split(r"^(?=## )", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    unreleased = [section for section in sections if "(unreleased)" in section.partition("\n")[0]]

    assert unreleased
    hold(retired_words("".join(unreleased)))


@pytest.mark.parametrize("words", [words for words, _ in commands()])
def test_help_has_no_retired_word(words: str) -> None:
    done = CliRunner().invoke(app, [*words.split()[1:], "--help"])

    assert done.exit_code == 0
    assert "Usage:" in done.output
    hold(retired_words(done.output))


def test_options_and_commands_have_no_retired_word_in_their_names() -> None:
    group = typer.main.get_group(app)
    options = [option for _, command in commands() for one in command.params for option in one.opts]

    assert retired_words(" ".join([*group.commands, *options])) == []


@pytest.mark.parametrize("record", PUBLIC_RECORDS, ids=lambda record: record.__name__)
def test_keys_of_documents_have_no_retired_word(record: type[BaseModel]) -> None:
    found = keys(record)

    assert len(found) > len(record.model_fields) or record is Checked
    hold([f"{key}: {finding}" for key in found for finding in retired_words(key)])


@pytest.mark.parametrize("record", PUBLIC_RECORDS, ids=lambda record: record.__name__)
def test_schemas_of_documents_have_no_retired_word(record: type[BaseModel]) -> None:
    hold(retired_words(json.dumps(record.model_json_schema(), ensure_ascii=False)))


def test_keys_in_the_glossary_are_keys_of_documents() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    named = {key for group in re.findall(r"\((`[^)]*`)\)", page) for key in re.findall(r"`([^`]+)`", group)}
    known = {key.rpartition(".")[2] for record in PUBLIC_RECORDS for key in keys(record)}

    assert len(named) > 30
    assert named - known == set()
