"""What is said of a model file that its runtime did not load. The messages are those of the runtimes."""

from pathlib import Path

import pytest

from bench.errors import InputError, MissingRuntimeError
from bench.harness.load_errors import load_error

ORT = "onnxruntime 1.32.0"
UNDER_DEVELOPMENT = (
    "Fail: [ONNXRuntimeError] : 1 : FAIL : Load model from a.onnx failed: ONNX Runtime only *guarantees* "
    "support for models stamped with official released onnx opset versions. Opset 29 is under development "
    "and support for this is limited. Current official support for domain ai.onnx is till opset 28."
)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            UNDER_DEVELOPMENT,
            "is written for operator set 29 of ai.onnx, and R supports up to 28; install a newer",
        ),
        (
            "Unsupported model IR version: 99, max supported IR version: 14",
            "is written in version 99 of the ONNX format, and R reads up to 14; install a newer one",
        ),
        (
            "Fatal error: com.example:Fancy(-1) is not a registered function/op",
            "uses the operator com.example:Fancy, which R does not have; measure it where a runtime has it",
        ),
        (
            "NOT_IMPLEMENTED : Could not find an implementation for Relu(14) node with name ''",
            "uses the operator Relu (version 14) with types that R does not implement",
        ),
        (
            "Opset opset1 doesn't contain the operation with type: Fancy",
            "uses the operator Fancy, which R does",
        ),
        (
            "Cannot create Parameter layer image id:0 from unsupported opset: opset99",
            "uses the operator Parameter, which R does not have",
        ),
        (
            "Unknown builtin op: torchvision::nms.",
            "uses the operator torchvision::nms, which R does not have",
        ),
    ],
)
def test_what_another_runtime_could_load_is_missing_here(message: str, sentence: str) -> None:
    error = load_error(Path("a.onnx"), ORT, message)

    assert isinstance(error, MissingRuntimeError)
    assert str(error).startswith(f"a.onnx {sentence.replace('R ', f'{ORT} ')}")


def test_an_operator_that_onnx_does_not_have_is_an_error_in_the_file() -> None:
    message = (
        "InvalidGraph: This is an invalid model. Error No Op registered for Fancy with domain_version of 17"
    )

    error = load_error(Path("a.onnx"), ORT, message)

    assert isinstance(error, InputError)
    assert "uses the operator Fancy, which ONNX does not have in operator set 17" in str(error)


def test_any_other_message_is_shown() -> None:
    error = load_error(Path("a.onnx"), ORT, "RuntimeError: it broke\nsecond line")

    assert isinstance(error, InputError)
    assert "cannot be loaded by onnxruntime 1.32.0 (RuntimeError: it broke)" in str(error)
