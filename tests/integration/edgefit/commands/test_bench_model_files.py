"""`edgefit bench` of model files that come without a bundle, in real runtimes."""

import json
import shutil
from pathlib import Path

import openvino
import pytest
import torch
from making.command_line import SHORTLY, edgefit, edgefit_here
from making.model_files import write_onnx

from bench.bundle.variants import Precision
from bench.report.files import read_report
from bench.report.schema import Report


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def measured(folder: Path) -> Report:
    """One run of four files of three formats, with the same weights but in one of them."""
    first = write_onnx(folder / "first.onnx", ("batch", 3, 8, 8))
    openvino.save_model(openvino.convert_model(first), folder / "same.xml", compress_to_fp16=False)
    write_onnx(folder / "other.onnx", seed=7)
    module = torch.nn.Sequential(
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 5)
    ).eval()
    torch.jit.trace(module, torch.zeros(1, 3, 8, 8)).save(folder / "traced.pt")  # type: ignore[no-untyped-call]
    files = ["first.onnx", "same.xml", "other.onnx", "traced.pt"]

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = edgefit_here("bench", *files, "--shape", "1x3x8x8", *SHORTLY, "--out", "report.json")

    assert done.returncode == 0, done.stderr
    return read_report(folder / "report.json")


def test_every_file_is_a_row_by_its_name_with_latency_memory_and_size(measured: Report) -> None:
    rows = [run for run in measured.runs if run.is_variant]

    assert [run.case for run in rows] == ["first.onnx", "same.xml", "other.onnx", "traced.pt"]
    assert all(run.summary is not None and run.summary.latency.p50_ns > 0 for run in rows)
    assert all(run.completed is not None and run.completed.memory.highest_bytes > 0 for run in rows)
    assert all(run.size_bytes for run in rows)
    assert {run.config.batch for run in rows} == {1}


def test_the_report_holds_files_and_inputs_and_no_accuracy(measured: Report) -> None:
    assert measured.bundle is None
    assert measured.evaluation is None
    assert measured.models is not None
    first, *others = measured.models.models
    assert first.signature.inputs[0].shape == ("batch", 3, 8, 8)
    assert first.inputs[0].shape == (1, 3, 8, 8)
    assert first.precision is Precision.FP32
    assert {model.values.sha256 for model in others} == {first.values.sha256}
    assert all(run.accuracy is None for run in measured.runs)


def test_outputs_are_compared_with_those_of_the_first_file(measured: Report) -> None:
    outputs = {run.case: run.summary.outputs for run in measured.runs if run.summary is not None}

    assert outputs["first.onnx"] is None
    same, other = outputs["same.xml"], outputs["other.onnx"]
    assert same is not None
    assert other is not None
    assert same.reference == "first.onnx"
    assert [(output.name, output.agreement) for output in same.outputs] == [("logits", 1.0)]
    assert same.outputs[0].cosine == pytest.approx(1, abs=1e-5)
    assert other.outputs[0].agreement == 0
    assert (other.outputs[0].cosine or 0) < 0.9


def test_open_axes_are_an_error_that_says_what_to_type(tmp_path: Path) -> None:
    model = write_onnx(tmp_path / "open.onnx", ("n", 3, "height", "width"))

    done = edgefit_here("bench", model, *SHORTLY)

    assert done.returncode == 2
    assert "--shape images:1x3x224x224" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["--shape", "images:1x4x8x8"],
            "--shape images:1x4x8x8 does not fit the input images: float32 [1, 3, 8, 8]",
        ),
        (["--shape", "data:1x3x8x8"], "has no input 'data', which --shape names; its inputs are: images"),
        (["--shape", "1x3x"], "'1x3x' is not a shape"),
        (["--shape", "1x3x8x8", "--shape", "1x3x8x8"], "has two shapes"),
        (["--only", "onnx-fp32"], "it applies to bundles"),
    ],
)
def test_options_that_do_not_fit_are_one_error(tmp_path: Path, words: list[str], sentence: str) -> None:
    model = write_onnx(tmp_path / "model.onnx")

    done = edgefit_here("bench", model, *words, *SHORTLY)

    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split())


def test_a_bundle_and_a_model_file_are_not_measured_together(tmp_path: Path, bundle_folder: Path) -> None:
    done = edgefit_here("bench", bundle_folder, write_onnx(tmp_path / "model.onnx"), *SHORTLY)

    assert done.returncode == 2
    assert "give one bundle, or model files" in done.stderr


def test_two_files_of_one_name_are_told_apart_by_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_onnx(tmp_path / name / "model.onnx")

    done = edgefit_here("bench", "a/model.onnx", "b/model.onnx", *SHORTLY, "--json")

    assert done.returncode == 0, done.stderr
    cases = [run["case"] for run in json.loads(done.stdout)["runs"]]
    assert cases[:2] == ["a/model.onnx", "b/model.onnx"]


def test_a_damaged_file_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    whole = write_onnx(tmp_path / "whole.onnx").read_bytes()
    (tmp_path / "cut.onnx").write_bytes(whole[: len(whole) // 2])

    done = edgefit("bench", "cut.onnx", "--out", "report.json", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("edgefit: cut.onnx")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "report.json").exists()


def test_a_runtime_that_is_missing_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.harness.describing.is_installed", lambda row: False)
    shutil.copy(write_onnx(tmp_path / "model.onnx"), tmp_path / "copy.onnx")

    done = edgefit_here("bench", tmp_path / "copy.onnx", *SHORTLY)

    assert done.returncode == 3
    assert "[onnx]'" in done.stderr
