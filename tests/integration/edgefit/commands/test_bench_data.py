"""`edgefit bench` with model files: their inputs, their outputs, which are compared, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from making import onnx_models
from making.command_line import SHORTLY, edgefit_here
from onnx import TensorProto
from PIL import Image

from bench.measurements import Failed
from bench.report.files import read_report
from bench.report.schema import Report


def report_of(tmp_path: Path, *words: str | Path) -> Report:
    """Run edgefit bench with these words, and read the report."""
    out = tmp_path / "report.json"
    done = edgefit_here("bench", *words, *SHORTLY, "--out", out)
    assert out.exists(), done.stderr
    return read_report(out)


@pytest.mark.timeout(300)
def test_files_of_unusual_shapes_are_rows_and_values_that_are_not_finite_a_failed_one(tmp_path: Path) -> None:
    makers = (
        onnx_models.several,
        onnx_models.non_zero,
        onnx_models.zip_map,
        onnx_models.without_inputs,
        onnx_models.not_finite,
    )
    files = [make(tmp_path / f"{make.__name__}.onnx") for make in makers]

    report = report_of(tmp_path, *files)

    rows = {run.variant: run for run in report.runs}
    assert [name for name, run in rows.items() if run.status == "completed" and run.is_variant] == [
        f"{make.__name__}.onnx" for make in makers[:-1]
    ]
    failed = rows["not_finite.onnx"].outcome
    assert isinstance(failed, Failed)
    assert "returned values that are not finite, in the output 'y'" in failed.message
    assert "zip_map.onnx: the output 'label' is str, which is not compared" in report.warnings


@pytest.mark.timeout(300)
def test_models_of_other_layouts_are_compared_on_the_same_images(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(3):
        pixels = np.random.default_rng(index).integers(0, 255, (9, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(photos / f"{index}.png")
    first = onnx_models.cast_classifier(tmp_path / "bytes.onnx", TensorProto.UINT8)
    second = onnx_models.cast_classifier(tmp_path / "wide.onnx", TensorProto.DOUBLE)

    report = report_of(tmp_path, first, second, "--data", photos, "--preprocess", "raw")

    assert report.models is not None
    assert [model.inputs[0].dtype for model in report.models.models] == ["uint8", "float64"]
    assert [model.values.inferences for model in report.models.models] == [3, 3]
    assert all(
        "squash to 10×6 pixels" in (model.values.preprocessing or "") for model in report.models.models
    )
    summary = report.runs[1].summary
    assert summary is not None
    assert summary.outputs is not None
    assert summary.outputs.outputs[0].agreement == 1
    assert summary.outputs.outputs[0].largest_difference == 0


@pytest.mark.timeout(300)
def test_a_function_of_ones_own_gives_the_inputs_and_one_output_is_judged(tmp_path: Path) -> None:
    code = tmp_path / "data.py"
    code.write_text(
        "import numpy as np\ndef load_data():\n    print('loading')\n    for count in range(2):\n"
        "        ids = np.zeros((1, 4), np.int64)\n        mask = np.ones((1, 4, 1), np.float32)\n"
        "        yield {'ids': ids, 'mask': mask * count}, 1\n"
    )
    files = [onnx_models.several(tmp_path / f"{name}.onnx") for name in ("a", "b")]
    out = tmp_path / "report.json"

    data = ("--data", f"{code}:load_data", "--output", "logits")
    done = edgefit_here("bench", *files, *SHORTLY, "--out", out, "--json", *data)

    assert done.returncode == 0, done.stderr
    report = read_report(out)
    assert json.loads(done.stdout)["models"]["judged_output"] == "logits"
    summary = report.runs[1].summary
    assert summary is not None
    assert summary.outputs is not None
    assert summary.outputs.judged == "logits"
    assert [output.name for output in summary.outputs.outputs] == ["masked", "logits", "total"]
    assert sum("labels are not used" in warning for warning in report.warnings) == 1


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--output", "probs"), 2, "has no output 'probs', which --output names; its outputs are: logits"),
        (
            ("--data", "missing.npz"),
            2,
            "--data missing.npz: there is no such file or folder; give a folder of images",
        ),
        (("--preprocess", "unit"), 2, "--preprocess unit: it applies to images; add --data"),
        (("--shape", "image:1x3x8x8:int64"), 2, "does not fit the input image: float32 [1, 3, 8, 8]"),
        (("--shape", "1x3x8x8:complex64"), 2, "'complex64' is not a type; write one of float16"),
        (("--shape", "1x3xH"), 2, "'1x3xH' is not a shape; write one such as 1x3x224x224"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    words: tuple[str, ...], code: int, sentence: str, tmp_path: Path
) -> None:
    done = edgefit_here("bench", onnx_models.classifier(tmp_path / "model.onnx"), *words, *SHORTLY)

    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in " ".join(done.stderr.split())


def test_an_operator_that_a_runtime_could_have_is_exit_code_3(tmp_path: Path) -> None:
    done = edgefit_here("bench", onnx_models.custom_operator(tmp_path / "model.onnx"), *SHORTLY)

    assert done.returncode == 3
    assert "uses the operator com.example:Fancy" in done.stderr
