"""What the tests of export/ share."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from watching import Watching


@pytest.fixture
def watching() -> Watching:
    return Watching()


@pytest.fixture
def own_run_folder(run_folder: Path, tmp_path: Path) -> Path:
    """A run folder that a test may spoil."""
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The empty folder a bundle is to be made in."""
    path = tmp_path / "bundle"
    path.mkdir()
    return path
