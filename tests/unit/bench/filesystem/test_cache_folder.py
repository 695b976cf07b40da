"""The cache folder, and what is said where there can be none."""

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.filesystem.cache_folder import cache_folder


def test_a_user_without_a_home_learns_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.filesystem.cache_folder.cache", lambda: None)

    with pytest.raises(InputError, match="no home folder: HOME is not set; set EDGEFIT_CACHE to a writable"):
        cache_folder("journals")


def test_a_file_in_the_way_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path / "file"))

    with pytest.raises(InputError, match=r"file/journals cannot be created \(Not a directory\); set EDGEFIT"):
        cache_folder("journals")
