"""A system that is not Linux gets one sentence and exit code 3, before anything is opened or started."""

import sys
from pathlib import Path

import pytest
from making.command_line import edgefit_here
from making.compared_report import Row, made_report
from making.onnx_models import classifier

import edgefit
from bench.errors import UnsupportedSystemError
from bench.harness.worker_process import WorkerProcess
from bench.report.files import write_report
from bench.run.model_set import UnopenedModels

MACOS = "needs Linux (/proc, CPU affinity, Landlock), and this is macOS: use a Linux machine, or measure one"


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with a model and a report, on a system that says it is macOS."""
    classifier(tmp_path / "model.onnx")
    write_report(tmp_path / "report.json", made_report({"onnx-fp32": Row(4)}))
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "line",
    [
        "bench model.onnx",
        "check model.onnx --baseline model.onnx",
        "export model.onnx --data . --out bundle",
        "demo",
        "doctor",
        "profiles detect",
        "profiles calibrate --out mine.yaml",
        "inspect model.onnx",
    ],
)
def test_what_measures_or_loads_a_model_says_on_macos_that_it_needs_linux(line: str, macos: Path) -> None:
    before = sorted(macos.iterdir())

    done = edgefit_here(*line.split())

    assert done.returncode == 3
    assert MACOS in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sorted(macos.iterdir()) == before


@pytest.mark.parametrize(
    "line",
    [
        "report report.json",
        "choose report.json",
        "check report.json --baseline report.json",
        "profiles list",
        "profiles show raspberry-pi-5",
    ],
)
def test_what_reads_files_alone_is_not_refused_on_macos(line: str, macos: Path) -> None:
    done = edgefit_here(*line.split())

    assert done.returncode == 0, done.stderr


def test_python_raises_an_error_of_edgefit_on_macos(macos: Path) -> None:
    with pytest.raises(edgefit.EdgefitError, match=r"measuring needs Linux .*, and this is macOS"):
        edgefit.bench("model.onnx", progress=False)


def test_no_process_is_started_for_a_model_on_macos(macos: Path) -> None:
    with pytest.raises(UnsupportedSystemError, match="a process that loads a model file needs Linux"):
        WorkerProcess()


def test_a_board_reads_the_model_files_of_a_system_that_cannot(macos: Path) -> None:
    assert UnopenedModels.where_a_runtime_is_missing([macos / "model.onnx"], {}, None) is not None
