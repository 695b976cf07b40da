"""A model file is described by its runtime in a process of its own, or refused with what to do."""

from collections.abc import Callable
from pathlib import Path

import openvino
import pytest
from making import onnx_models

from bench.bundle.model_files import read_model_file
from bench.bundle.variants import Precision
from bench.errors import BenchError, InputError, MissingRuntimeError
from bench.harness.describing import describe
from bench.runtimes.formats import FORMATS


def test_an_onnx_file_is_described_with_its_open_axes(tmp_path: Path) -> None:
    path = onnx_models.classifier(tmp_path / "model.onnx", ("N", 3, 8, 8), batch="N", end="Softmax")

    description = describe(read_model_file(path))

    assert [tensor.words for tensor in description.signature.inputs] == ["image: float32 [N, 3, 8, 8]"]
    assert [tensor.words for tensor in description.signature.outputs] == ["scores: float32 [N, 5]"]
    assert description.precision is Precision.FP32


def test_an_openvino_file_is_described_like_the_onnx_file_that_it_was_made_from(tmp_path: Path) -> None:
    path = onnx_models.several(tmp_path / "model.onnx")
    openvino.save_model(openvino.convert_model(str(path)), tmp_path / "model.xml", compress_to_fp16=False)

    ours, theirs = (describe(read_model_file(file)) for file in (path, tmp_path / "model.xml"))

    assert ours == theirs


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            onnx_models.custom_operator,
            MissingRuntimeError,
            "uses the operator com.example:Fancy, ",
        ),
        (
            onnx_models.future_opset,
            MissingRuntimeError,
            "is written for operator set 99 of ai.onnx",
        ),
        (onnx_models.future_ir, MissingRuntimeError, "is written in version 99 of the ONNX format"),
        (onnx_models.unknown_operator, InputError, "uses the operator Fancy, which ONNX does not have"),
    ],
)
def test_a_file_that_the_runtime_does_not_load_is_refused(
    make: Callable[[Path], Path], error: type[BenchError], words: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=words):
        describe(read_model_file(make(tmp_path / "model.onnx")))


def test_a_runtime_that_is_missing_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    missing = replace(FORMATS["onnx"], needs="a_package_that_nobody_has")
    monkeypatch.setitem(FORMATS, "onnx", missing)

    with pytest.raises(MissingRuntimeError, match=r"model.onnx: a_package_that_nobody_has is not installed"):
        describe(read_model_file(onnx_models.classifier(tmp_path / "model.onnx")))
