"""What every suite uses: a small real bundle, made once."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def _tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from making.tiny_bundle import make_tiny_bundle

    return make_tiny_bundle(tmp_path_factory.mktemp("tiny") / "bundle")


@pytest.fixture
def bundle_folder(_tiny_bundle: Path, tmp_path: Path) -> Path:
    """A real bundle of three formats that a test may spoil."""
    return Path(shutil.copytree(_tiny_bundle, tmp_path / "bundle"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what edgefit keeps between runs apart for each test, and out of the user's own folder."""
    monkeypatch.setenv("EDGEFIT_CACHE", str(tmp_path_factory.mktemp("cache")))
