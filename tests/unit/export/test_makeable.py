"""Which variants come of a model file, and what is said of the others."""

import numpy as np
import pytest

from bench.bundle.judged_output import CLASSES
from bench.bundle.source_record import SourceKind
from bench.bundle.variants import Precision, Variant
from bench.errors import InputError
from bench.runtimes.formats import FORMATS as TABLE
from export.data.samples import ExportData, Samples
from export.makeable import reason_against, refuse_idle, split_by_source
from export.options import ExportOptions
from export.planning import PlannedVariants
from export.prepared import Prepared
from export.sources.file_formats import own_variant
from export.sources.spec import OpenSource, SourceSpec

FORMATS = ("torchscript", "onnx", "openvino")


def made_of(kind: SourceKind, precision: Precision) -> set[str]:
    prepared = prepared_file(kind, precision)
    variants = [Variant(name, each) for name in FORMATS for each in Precision]
    return {str(variant) for variant in variants if reason_against(variant, prepared) is None}


def prepared_file(kind: SourceKind, precision: Precision) -> Prepared:
    """Return what is prepared of a file; which variants come of it depends on nothing but its kind."""
    spec = SourceSpec(kind=kind, name="/models/model")
    source = OpenSource(spec=spec, inputs=(), outputs=(), output=CLASSES, producer="test")
    prepared: Prepared = Prepared.__new__(Prepared)
    samples = Samples(np.zeros((2, 4, 4, 3), np.uint8), None)
    data = ExportData("data", (), None, samples, samples, samples, ())
    object.__setattr__(prepared, "source", source)
    object.__setattr__(prepared, "data", data)
    object.__setattr__(prepared, "name", "model")
    object.__setattr__(prepared, "own", own_variant(kind, precision))
    object.__setattr__(prepared, "precision", precision)
    return prepared


@pytest.mark.parametrize(
    ("kind", "precision", "expected"),
    [
        (
            SourceKind.ONNX,
            Precision.FP32,
            {"onnx-fp32", "onnx-fp16", "onnx-int8", "openvino-fp32", "openvino-fp16", "openvino-int8"},
        ),
        (SourceKind.ONNX, Precision.FP16, {"onnx-fp16", "openvino-fp16"}),
        (SourceKind.ONNX, Precision.INT8, {"onnx-int8", "openvino-int8"}),
        (SourceKind.OPENVINO, Precision.FP32, {"openvino-fp32", "openvino-fp16", "openvino-int8"}),
        (SourceKind.OPENVINO, Precision.FP16, {"openvino-fp16", "openvino-int8"}),
        (SourceKind.OPENVINO, Precision.INT8, {"openvino-int8"}),
        (
            SourceKind.TORCHSCRIPT,
            Precision.FP32,
            {"torchscript-fp32", "openvino-fp32", "openvino-fp16", "openvino-int8"},
        ),
        (SourceKind.PROGRAM, Precision.FP16, set()),
        (SourceKind.PROGRAM, Precision.INT8, set()),
    ],
)
def test_what_comes_of_a_file(kind: SourceKind, precision: Precision, expected: set[str]) -> None:
    assert made_of(kind, precision) == expected


def test_a_file_of_a_format_is_taken_as_it_is_without_that_formats_exporter() -> None:
    variants = tuple(Variant("onnx", precision) for precision in Precision)
    planned = PlannedVariants(variants, dict.fromkeys(variants, "no exporter"))

    made, not_made = split_by_source(planned, prepared_file(SourceKind.ONNX, Precision.FP32), TABLE)

    assert made == [Variant("onnx", Precision.FP32)]
    assert {missing.reason for missing in not_made} == {"no exporter"}


def test_what_a_source_cannot_become_is_said_before_what_is_not_installed() -> None:
    variant = Variant("torchscript", Precision.FP32)
    planned = PlannedVariants((variant,), {variant: "no exporter"})

    _, not_made = split_by_source(planned, prepared_file(SourceKind.ONNX, Precision.FP32), TABLE)

    assert "cannot become TorchScript" in not_made[0].reason


@pytest.mark.parametrize("kind", [SourceKind.RUN, SourceKind.TORCHVISION, SourceKind.PROGRAM])
def test_a_network_is_no_file_and_everything_comes_of_it(kind: SourceKind) -> None:
    assert own_variant(kind, Precision.FP32) is None
    assert len(made_of(kind, Precision.FP32)) == len(FORMATS) * len(Precision)


@pytest.mark.parametrize(
    ("kind", "precision", "variant", "reason"),
    [
        (SourceKind.ONNX, Precision.FP32, "torchscript-fp32", "an ONNX file cannot become TorchScript"),
        (SourceKind.OPENVINO, Precision.FP32, "onnx-int8", "an OpenVINO file cannot become ONNX"),
        (SourceKind.TORCHSCRIPT, Precision.FP32, "torchscript-int8", "a TorchScript file is taken as it is"),
        (SourceKind.ONNX, Precision.INT8, "onnx-fp32", "the source is quantised already"),
        (SourceKind.ONNX, Precision.FP16, "openvino-int8", "the source is in half precision already"),
    ],
)
def test_the_reason_says_what_to_export_instead(
    kind: SourceKind, precision: Precision, variant: str, reason: str
) -> None:
    said = reason_against(Variant.parse(variant), prepared_file(kind, precision))

    assert said is not None
    assert said.startswith(reason)
    assert "; export " in said


def test_only_what_is_made_of_a_quantised_file_needs_no_calibration() -> None:
    quantised = prepared_file(SourceKind.ONNX, Precision.INT8)
    floating = prepared_file(SourceKind.ONNX, Precision.FP32)

    assert quantised.is_quantised(Variant.parse("openvino-int8"))
    assert not floating.is_quantised(Variant.parse("openvino-int8"))


@pytest.mark.parametrize(
    ("kind", "precision", "options", "sentence"),
    [
        (
            SourceKind.ONNX,
            Precision.FP32,
            ExportOptions("m", ("torchscript",)),
            "-fp16, torchscript-int8: an ONNX",
        ),
        (SourceKind.ONNX, Precision.INT8, ExportOptions("m", qat=True), "--qat has an effect on int8 only"),
        (SourceKind.ONNX, Precision.FP16, ExportOptions("m", cpu="x86"), "--cpu has an effect on int8 only"),
        (SourceKind.ONNX, Precision.FP32, ExportOptions("m", min_retention=0.9), "no labels"),
    ],
)
def test_what_a_source_leaves_without_an_effect_is_refused(
    kind: SourceKind, precision: Precision, options: ExportOptions, sentence: str
) -> None:
    prepared = prepared_file(kind, precision)
    variants = [Variant(name, each) for name in options.formats or FORMATS for each in Precision]
    made, not_made = split_by_source(PlannedVariants(tuple(variants), {}), prepared, TABLE)

    with pytest.raises(InputError, match=sentence):
        refuse_idle(options, made, not_made, prepared, TABLE)
