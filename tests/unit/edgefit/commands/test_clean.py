"""`edgefit clean` on this machine."""

import json
from pathlib import Path

import pytest

from edgefit.command_line import run


def test_the_cache_is_emptied_and_its_size_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path))
    journal = tmp_path / "journals" / f"{'0' * 32}.jsonl"
    journal.parent.mkdir()
    journal.write_bytes(bytes(3 << 20))

    assert run(["clean", "--cache", "--json"]) == 0

    printed = capsys.readouterr()
    assert "which held 3 MiB" in printed.err
    assert json.loads(printed.out) == {"cache": {"folder": str(tmp_path), "bytes": 3 << 20}}
    assert not journal.exists()


def test_without_a_board_or_the_cache_there_is_nothing_to_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["clean"]) == 2
    assert "give a board to clean, or --cache" in " ".join(capsys.readouterr().err.split())
