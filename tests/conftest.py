"""What every suite uses: a marker for each folder, and small real bundles, made once."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from making.made_once import made_once

from bench.harness.alone import NO_WAIT_VARIABLE
from bench.runtimes.installed import NO_USAGE_DATA
from bench.system.thread_variables import without_thread_variables
from edgefit.terminal import preserve_quiet

if TYPE_CHECKING:
    from bench.harness.paired_blocks import Pair

# Processes inherit which signals are ignored or blocked: by nohup, or by a shell without job control. Python
# itself ignores two, and each child gets their default back.
for _number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
# Libraries that are loaded into pytest's own process send no usage data either.
os.environ.update(NO_USAGE_DATA)
# Tests run at the same time, and read no times: they do not wait for one another.
os.environ[NO_WAIT_VARIABLE] = "1"
# Python keeps what it compiled, whatever shell runs the tests: they start hundreds of processes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Output has its default width and no colour, also that of a fixture's process, whatever shell runs the tests.
for _name in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE"):
    os.environ.pop(_name, None)
# Commands say which of the shell's variables they clear, and tests compare what commands say.
for _name in set(os.environ) - set(without_thread_variables(os.environ)):
    os.environ.pop(_name)
_FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the name of its folder: unit, integration, page or device."""
    for item in items:
        item.add_marker(item.path.relative_to(_FOLDER).parts[0])


@pytest.fixture(autouse=True)
def _quiet_ends_with_its_test() -> Iterator[None]:
    """Undo what --quiet sets for the whole process."""
    with preserve_quiet():
        yield


@pytest.fixture(scope="session")
def _tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from making.tiny_bundle import make_tiny_bundle

    return make_tiny_bundle(tmp_path_factory.mktemp("tiny") / "bundle")


@pytest.fixture
def bundle_folder(_tiny_bundle: Path, tmp_path: Path) -> Path:
    """A real bundle of three formats that a test may spoil."""
    return Path(shutil.copytree(_tiny_bundle, tmp_path / "bundle"))


@pytest.fixture
def bundle_copy(bundle_folder: Path, tmp_path: Path) -> Path:
    """A copy of `bundle_folder`: the candidate beside its baseline."""
    return Path(shutil.copytree(bundle_folder, tmp_path / "copy"))


@pytest.fixture
def own_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that edgefit takes for the user's own profiles."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setenv("EDGEFIT_PROFILES", str(folder))
    return folder


@pytest.fixture
def pair(tmp_path: Path) -> "Pair":
    """A case of the faulty runtime on two sides."""
    from making.faulty_plan import pair_of

    return pair_of(tmp_path, "onnx-fp32")


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
