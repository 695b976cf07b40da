"""Paths whose names are no text: they are refused before a record would have to name them."""

import os
import sys
from pathlib import Path

import pytest

from user_files.path_names import why_unwritable


@pytest.mark.parametrize("name", ["model.onnx", "Röntgen/Bündel", "胸部　写真", "a\N{NO-BREAK SPACE}b"])
def test_a_name_in_letters_of_any_language_is_text(tmp_path: Path, name: str) -> None:
    assert why_unwritable(tmp_path / name) is None


@pytest.mark.parametrize(
    "name", [os.fsdecode(b"B\xfcndel"), "a\x1b[2J", "a\nb", "a\N{RIGHT-TO-LEFT OVERRIDE}b"]
)
def test_a_name_that_is_no_text_is_to_be_changed(tmp_path: Path, name: str) -> None:
    reason = why_unwritable(tmp_path / name / "bundle")

    assert reason is not None
    assert reason.endswith("rename it")


def test_a_name_behind_a_link_counts_too(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a\x1b")

    assert why_unwritable(tmp_path / "link") is not None


def test_letters_that_only_pythons_encoding_lacks_are_no_reason_to_rename(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "ascii")
    as_ascii_shows_it = "Röntgen".encode().decode("ascii", "surrogateescape")

    reason = why_unwritable(as_ascii_shows_it)

    assert reason is not None
    assert "letters that ASCII lacks" in reason
    assert reason.endswith("set PYTHONUTF8=1")
