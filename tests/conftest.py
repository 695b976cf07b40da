"""What every suite uses: small real bundles, made once."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from making.made_once import made_once


@pytest.fixture(scope="session")
def _tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from making.tiny_bundle import make_tiny_bundle

    return make_tiny_bundle(tmp_path_factory.mktemp("tiny") / "bundle")


@pytest.fixture
def bundle_folder(_tiny_bundle: Path, tmp_path: Path) -> Path:
    """A real bundle of three formats that a test may spoil."""
    return Path(shutil.copytree(_tiny_bundle, tmp_path / "bundle"))


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a MobileNetV2, not to be changed."""
    from making.tiny_run import make_tiny_run

    return made_once(tmp_path_factory, "tiny-run", make_tiny_run)


@pytest.fixture(scope="session")
def nine_folder(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of all formats and precisions of `run_folder`, not to be changed."""
    from making.nine import make_nine

    return made_once(tmp_path_factory, "nine", lambda folder: make_nine(run_folder, folder))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what edgefit keeps between runs apart for each test, and out of the user's own folder."""
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path_factory.mktemp("cache")))
