"""Emulated arm64 boards: a root made once, and each board powered on for as long as a test needs it."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from making.command_line import edgefit
from making.emulated_board import EmulatedBoard, make_root, powered_on


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root that all boards start from."""
    return make_root(tmp_path_factory.mktemp("board") / "root")


@pytest.fixture
def boards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the boards that are on, which ssh finds by their names."""
    folder = tmp_path / "boards"
    monkeypatch.setenv("EDGEFIT_SSH", f"ssh -F {shlex.quote(str(folder / 'config'))}")
    return folder


@pytest.fixture
def pi_4(root: Path, boards: Path) -> Iterator[EmulatedBoard]:
    with powered_on(root, boards, "pi-4", "cortex-a72") as board:
        yield board


@pytest.fixture
def pi_5(root: Path, boards: Path) -> Iterator[EmulatedBoard]:
    with powered_on(root, boards, "pi-5", "cortex-a76") as board:
        yield board


@pytest.fixture(scope="session")
def four(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a real MobileNetV2 at 64 × 64: ONNX and OpenVINO, fp32 and int8, and 16 images."""
    from making.tiny_run import make_tiny_run

    folder = tmp_path_factory.mktemp("four")
    run = make_tiny_run(folder / "run")
    words = ("--formats", "onnx,openvino", "--precisions", "fp32,int8", "--eval-images", "16")
    done = edgefit("export", run, "--out", folder / "bundle", *words)
    assert done.returncode == 0, done.stderr
    return folder / "bundle"
