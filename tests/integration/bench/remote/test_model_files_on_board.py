"""Model files over a real SSH connection: they arrive with what belongs to them, and are told apart."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from making.command_line import SHORTLY, edgefit_here
from making.ssh_server import SshServer

from bench.report.files import read_report
from bench.run import model_set


@pytest.fixture
def models(bundle_folder: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two files of one name, whose weights lie beside them in files of one name too."""
    model = onnx.load(bundle_folder / "onnx-fp32" / "model.onnx")
    paths = tmp_path / "a" / "model.onnx", tmp_path / "b" / "model.onnx"
    for factor, path in enumerate(paths, 1):
        path.parent.mkdir()
        for weight in model.graph.initializer:
            scaled = onnx.numpy_helper.to_array(weight) * np.float32(factor)
            weight.CopyFrom(onnx.numpy_helper.from_array(scaled, weight.name))
        onnx.save_model(model, path, save_as_external_data=True, location="weights.data", size_threshold=0)
        model = onnx.load(path)
    return paths


def test_files_of_one_name_are_measured_with_their_own_weights(
    models: tuple[Path, Path], used_board: SshServer, wheelhouse: Path, tmp_path: Path
) -> None:
    there, here = tmp_path / "there.json", tmp_path / "here.json"
    on_board = ("--on", used_board.target, "--wheelhouse", wheelhouse)

    first = edgefit_here("bench", *models, *on_board, *SHORTLY, "--out", there)
    second = edgefit_here("bench", *models, *on_board, *SHORTLY, "--json")
    local = edgefit_here("bench", *models, *SHORTLY, "--out", here)

    assert first.returncode == 0, first.stderr
    assert "patients" not in first.stderr
    assert second.returncode == 0, second.stderr
    assert "nothing is sent" in second.stderr
    assert local.returncode == 0, local.stderr
    board_report, local_report = read_report(there), read_report(here)
    assert board_report.models == local_report.models
    assert [run.variant for run in board_report.runs if run.is_variant] == ["a/model.onnx", "b/model.onnx"]
    for of_board, of_local in zip(board_report.runs, local_report.runs, strict=True):
        if of_board.is_variant:
            assert of_board.completed is not None
            assert of_local.completed is not None
            assert of_board.completed.outputs == of_local.completed.outputs
            assert of_board.completed.output_differences == (0.0, 0.0, 0.0)
    assert json.loads(second.stdout)["models"] == json.loads(there.read_text())["models"]


def test_a_board_reads_what_no_runtime_here_can_read(
    models: tuple[Path, Path],
    used_board: SshServer,
    wheelhouse: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(model_set, "is_installed", lambda row: False)
    out = tmp_path / "report.json"
    words = ("--on", used_board.target, "--wheelhouse", wheelhouse, *SHORTLY, "--out", out)

    done = edgefit_here("bench", *models, *words)

    assert done.returncode == 0, done.stderr
    record = read_report(out).models
    assert record is not None
    assert [model.name for model in record.models] == ["a/model.onnx", "b/model.onnx"]
    assert record.models[0].path.startswith(str(used_board.store))


def test_a_large_runtime_must_be_requested(bundle_folder: Path, board: SshServer, wheelhouse: Path) -> None:
    model = bundle_folder / "torchscript-fp32" / "model.pt"

    words = ("--shape", "1x3x32x32", "--on", board.target, "--wheelhouse", wheelhouse, *SHORTLY)
    done = edgefit_here("bench", model, *words)

    assert done.returncode == 3
    assert "model.pt: the wheels of torch take up to 3 GB" in done.stderr
    assert "--with torchscript" in done.stderr


def test_missing_weights_are_an_error_before_a_board_is_reached(models: tuple[Path, Path]) -> None:
    (models[1].parent / "weights.data").unlink()

    done = edgefit_here("bench", models[1], "--on", "ssh://nobody.invalid", *SHORTLY)

    assert done.returncode == 2
    assert "refers to 'weights.data', which is missing" in done.stderr
