"""What the terminal shows of a model file."""

import io

import pytest
from rich.console import Console

from bench.bundle.model_graph import ModelGraph, OperatorCount, OperatorSet
from bench.bundle.sidecar import SidecarPreprocess
from bench.bundle.variants import Precision
from bench.inspect.inspection import (
    FieldSource,
    InspectedClasses,
    InspectedPreprocess,
    InspectedTensor,
    ModelInspection,
)
from edgefit.views.inspection import inspection_view

GRAPH = ModelGraph(
    producer="pytorch 2",
    ir_version=8,
    opsets=(OperatorSet(domain="", version=17), OperatorSet(domain="com.own", version=1)),
    operators=(
        OperatorCount(operator="Conv", count=3, macs=4_000_000_000),
        OperatorCount(operator="Gemm", count=1, macs=1_000),
        OperatorCount(operator="LSTM", count=1, macs=None),
        OperatorCount(operator="Relu", count=2, macs=0),
    ),
    parameters=1_234_567,
    precision=Precision.FP32,
)
PREPROCESS = InspectedPreprocess(
    input="x[/]\n\x1b[31m",
    values=SidecarPreprocess(input_size=(3, 32, 48)),
    channels=None,
    sources=(FieldSource(field="input_size", source="the [shape]"),),
    missing=("resize",),
    remedy="preprocess:\n  resize: crop",
    conflicts=("a states [1], and b [2]",),
)
INSPECTION = ModelInspection(
    path="some/model[/].onnx",
    format="onnx",
    size_bytes=12_345_678,
    sha256="0",
    inputs=(InspectedTensor(name="x[/]\n\x1b[31m", dtype="float32", shape=(1, 3, 32, 48), axes="NCHW"),),
    outputs=(),
    graph=GRAPH,
    macs=GRAPH.macs,
    macs_missing="those of LSTM are not counted",
    preprocess=PREPROCESS,
    classes=InspectedClasses(names=tuple(f"class {index}" for index in range(14)), source="config.json"),
)


def shown(inspection: ModelInspection, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(inspection_view(inspection))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_every_fact_has_its_line() -> None:
    text = shown(INSPECTION)

    for line in (
        "some/model[/].onnx",
        "format         ONNX, opset 17, com.own 1, IR version 8, written by pytorch 2, 12.3 MB",
        r"inputs         x[/]\n\x1b[31m  float32  [1, 3, 32, 48]  NCHW",
        "outputs        ONNX does not state them",
        "parameters     1,234,567",
        "MACs           4,000,001,000 in one inference; those of LSTM are not counted",
        "operators      Conv  3  4.00 G MACs  >99.9%",
        "               Gemm  1  1.00 k MACs   <0.1%",
        "               LSTM  1  not counted",
        "               others: Relu 2",
        "preprocessing  input_size  [3, 32, 48]  from the [shape]",
        "               warning: a states [1], and b [2]",
        "               missing: resize; state them in edgefit.yaml beside the model, such as:",
        "                   resize: crop",
    ):
        assert line in text.splitlines(), text
    assert "class 11, … (from config.json)" in text


@pytest.mark.parametrize("width", [40, 80, 140])
def test_it_fits_the_terminal(width: int) -> None:
    assert max(map(len, shown(INSPECTION, width).splitlines())) <= width


def test_without_multiply_accumulates_operators_are_counted_and_the_reason_is_there() -> None:
    operators = tuple(operator.model_copy(update={"macs": None}) for operator in GRAPH.operators)
    graph = GRAPH.model_copy(update={"operators": operators, "parameters": None})
    changes = {"graph": graph, "macs": None, "macs_missing": "because", "classes": None}

    lines = shown(INSPECTION.model_copy(update=changes)).splitlines()

    assert "MACs           unknown: because" in lines
    assert "operators      Conv 3, Gemm 1, LSTM 1, Relu 2" in lines
    assert "parameters     unknown" in lines
    assert "classes        no names found" in lines
