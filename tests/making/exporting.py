"""Fixtures of the tests of export/, unit and integration."""

import shutil
from pathlib import Path

import pytest

from making.watching import Watching


@pytest.fixture
def watching() -> Watching:
    return Watching()


@pytest.fixture
def own_run_folder(run_folder: Path, tmp_path: Path) -> Path:
    """A run folder that a test may change."""
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The empty folder for a bundle."""
    path = tmp_path / "bundle"
    path.mkdir()
    return path
