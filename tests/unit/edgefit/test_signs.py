"""Every sign that edgefit prints can be shown by a terminal whose encoding lacks it."""

import ast
import json
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from making.repository import ROOT

from edgefit.signs import print_any_sign, typed
from edgefit.terminal import Output


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "3 × 224 ± 1.2 µs – ≥ 90 %"),
        ("latin-1", "3 × 224 ± 1.2 µs - >= 90 %"),
        ("cp1252", "3 × 224 ± 1.2 µs – >= 90 %"),
        ("ascii", "3 x 224 +- 1.2 us - >= 90 %"),
    ],
)
def test_a_sign_is_replaced_only_where_the_encoding_lacks_it(encoding: str, shown: str) -> None:
    assert typed("3 × 224 ± 1.2 µs – ≥ 90 %", encoding) == shown


def test_names_that_differ_still_differ() -> None:
    assert typed("Müller", "ascii") == "M\\xfcller"
    assert typed("Möller", "ascii") != typed("Müller", "ascii")


def test_every_sign_in_the_code_has_a_replacement() -> None:
    signs = {sign for path in printing_files() for sign in signs_in(path)}

    assert {"×", "±"} <= signs
    assert {sign for sign in signs if typed(sign, "ascii").startswith("\\")} == set()


def printing_files() -> list[Path]:
    folders = ("edgefit", "bench", "export", "models", "user_files")
    # The words that names of classes are compared with are never printed.
    compared = ROOT / "models/positive.py"
    return [path for folder in folders for path in (ROOT / folder).rglob("*.py") if path != compared]


def signs_in(path: Path) -> set[str]:
    """Return what is not ASCII in the texts of a file.

    Docstrings are left out, because nobody prints them, and so is what is written as an escape sequence.
    """
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    said = {
        node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in said
    ]
    return {letter for text in texts for letter in text if not letter.isascii() and letter in source}


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_json_document_is_the_same_in_every_encoding(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    raw = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding=encoding))
    print_any_sign()
    document = {"name": "Übung × 😀 \x7f", "undecodable": "b\udcff"}

    Output(as_json=True).document(json.dumps(document, ensure_ascii=False))
    sys.stdout.flush()

    assert json.loads(raw.getvalue().decode(encoding)) == document


def test_columns_stay_in_line_after_a_sign_became_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.table import Table

    raw = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding="ascii"))
    print_any_sign()
    table = Table("limit", "next")
    table.add_row("≥ 5", "a")
    table.add_row("5", "b")

    Output(as_json=False).show(table)
    sys.stdout.flush()

    lines = raw.getvalue().decode("ascii").splitlines()
    assert len({line.index(letter) for line in lines for letter in "ab" if f" {letter} " in line}) == 1
    assert any(">= 5" in line for line in lines)
