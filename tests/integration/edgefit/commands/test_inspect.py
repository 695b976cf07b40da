"""`edgefit inspect` of real files, in workers."""

import json
from pathlib import Path

import pytest
from making.classifier_file import PARAMETERS, macs, write_classifier
from making.command_line import edgefit_here
from making.tiny_bundle import entry_of

from bench.harness import describing
from bench.inspect.inspecting import inspect_model
from bench.inspect.inspection import ModelInspection

# The tiny network by hand: 15×15 outputs of 4 channels over 3×3×3 weights, then its linear layer.
TINY_MACS = 15 * 15 * 4 * 27 + 8
TINY_PARAMETERS = 4 * 27 + 4 + 4 * 2 + 2


@pytest.mark.parametrize("format_name", ["onnx", "openvino", "torchscript"])
def test_all_formats_of_one_network_have_its_multiply_accumulates_and_weights(
    bundle_folder: Path, format_name: str
) -> None:
    shapes = {"": (1, 3, 32, 32)} if format_name == "torchscript" else {}

    inspection = inspect_model(entry_of(bundle_folder, f"{format_name}-fp32"), shapes)

    assert inspection.macs == TINY_MACS
    assert inspection.macs_missing is None
    assert inspection.graph.parameters == TINY_PARAMETERS


def test_the_document_is_the_record_and_the_text_goes_to_stderr(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "model.onnx", ("batch", 3, "h", "w"))

    done = edgefit_here("inspect", path, "--shape", "images:1x3x40x32", "--json")

    inspection = ModelInspection.model_validate_json(done.stdout)
    assert inspection.macs == macs(40, 32)
    assert inspection.graph.parameters == PARAMETERS
    assert inspection.inputs[0].shape == ("batch", 3, "h", "w")
    assert inspection.preprocess.values.input_size == (3, 40, 32)
    assert "next: edgefit bench" in done.stderr


def test_an_open_shape_is_needed_for_multiply_accumulates_alone(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "model.onnx", ("batch", 3, "h", "w"))

    done = edgefit_here("inspect", path)

    assert done.returncode == 0
    assert "such as: --shape" in done.stdout
    assert f"{PARAMETERS}" in done.stdout
    assert "Conv 1" in done.stdout
    assert "next:" not in done.stdout


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ("1x3x32", "does not fit the input"),
        ("other:1x3x32x32", "has no input 'other'"),
        ("1,3", "not a shape"),
    ],
)
def test_a_shape_that_does_not_fit_is_an_error(tmp_path: Path, shape: str, sentence: str) -> None:
    path = write_classifier(tmp_path / "model.onnx", ("batch", 3, "h", "w"))

    done = edgefit_here("inspect", path, "--shape", shape)

    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_file_with_an_operator_that_no_runtime_has_is_shown_as_it_is(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "model.onnx", domain="com.own")

    inspection = inspect_model(path, {})

    assert inspection.macs is None
    assert "com.own" in (inspection.macs_missing or "")
    assert inspection.inputs[0].shape == (1, 3, 32, 32)
    assert "com.own.Own" in {operator.operator for operator in inspection.graph.operators}


def test_without_onnxruntime_the_file_is_read_and_other_formats_name_their_extra(
    bundle_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(describing, "is_installed", lambda row: False)

    onnx = edgefit_here("inspect", entry_of(bundle_folder, "onnx-fp32"), "--json")
    openvino = edgefit_here("inspect", entry_of(bundle_folder, "openvino-fp32"))

    assert "[onnx]'" in json.loads(onnx.stdout)["macs_missing"]
    assert json.loads(onnx.stdout)["inputs"][0]["shape"] == [1, 3, 32, 32]
    assert openvino.returncode == 3
    assert "[openvino]'" in openvino.stderr


def test_what_was_found_is_written_again_and_a_change_by_hand_is_kept(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "model.onnx")
    config = {
        "pretrained_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "crop_pct": 0.9},
        "label_names": ["a", "b"],
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    sidecar = tmp_path / "edgefit.yaml"

    first = edgefit_here("inspect", path, "--write")
    content = sidecar.read_text()
    again = edgefit_here("inspect", path, "--write", "--json")

    assert f"written: {sidecar}" in first.stdout.replace("\n", "")
    assert "preprocess: the shape, config.json" in content
    assert sidecar.read_text() == content
    document = json.loads(again.stdout)
    assert document["written_to"] == str(sidecar)
    assert document["classes"] == {"names": ["a", "b"], "source": "edgefit.yaml"}
    sidecar.write_text(content + "# mine\n")
    refused = edgefit_here("inspect", path, "--write")
    assert refused.returncode == 2
    assert "was changed since" in refused.stderr


def test_a_name_that_the_sidecar_cannot_hold_is_an_error(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "model.onnx")
    (tmp_path / "config.json").write_text(json.dumps({"label_names": ["a", "b\x1b[31m"]}))

    done = edgefit_here("inspect", path, "--write")

    assert done.returncode == 2
    assert r"b\x1b[31m" in done.stderr
    assert not (tmp_path / "edgefit.yaml").exists()


def test_write_leaves_a_guess_out(tmp_path: Path) -> None:
    path = write_classifier(tmp_path / "model.onnx")

    done = edgefit_here("inspect", path, "--write")
    again = edgefit_here("inspect", path, "--json")

    assert (done.returncode, again.returncode) == (0, 0)
    assert "channels:" not in (tmp_path / "edgefit.yaml").read_text()
    sources = json.loads(again.stdout)["preprocess"]["sources"]
    assert {"field": "channels", "source": "the usual order"} in sources
