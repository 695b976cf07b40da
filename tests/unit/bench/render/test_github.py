"""A check as GitHub's annotations."""

from making.checks import checked, report
from making.compared_report import Row, made_report

from bench.render.github import to_annotations


def test_a_new_variant_is_a_notice() -> None:
    lines = to_annotations(checked(report(onnx_fp32=Row(10), onnx_int8=Row(4)), report(onnx_fp32=Row(10))))

    assert any(line.startswith("::notice title=edgefit%3A onnx-int8 NEW") for line in lines)


def test_what_cannot_be_compared_is_a_warning() -> None:
    before = made_report({"onnx-fp32": Row(10)})
    elsewhere = made_report({"onnx-fp32": Row(10, provider="cuda")})

    assert any(line.startswith("::warning") for line in to_annotations(checked(elsewhere, before)))
