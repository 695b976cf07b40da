"""LiteRT files that need what the runtime lacks: one sentence says what, and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ai_edge_litert")

from ai_edge_litert import schema_py_generated as schema
from making.tflite_files import control

from bench.bundle.variants import Precision
from bench.errors import MissingRuntimeError
from bench.run_config import RunConfig
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.run_litert import describe, load
from export.tflite_model import read_tflite


def with_custom(name: str) -> Callable[[Any], None]:
    """Return what gives the linear layer another operator."""

    def change(model: Any) -> None:
        (code,) = [
            code for code in model.operatorCodes if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED
        ]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
        code.customCode = name
        for operator in model.subgraphs[0].operators:
            if model.operatorCodes[operator.opcodeIndex] is code:
                operator.builtinOptions, operator.builtinOptionsType = None, 0

    return change


def with_version(model: Any) -> None:
    model.operatorCodes[0].version = 99


def with_number(model: Any) -> None:
    model.operatorCodes[0].builtinCode, model.operatorCodes[0].deprecatedBuiltinCode = 300, 127


def with_schema(model: Any) -> None:
    model.version = 9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_custom("edgetpu-custom-op"), "compiled for Coral's Edge TPU, which litert .* edgetpu_compiler"),
        (with_custom("MyOp"), "needs the custom operator 'MyOp', which litert .*; convert it without"),
        (with_custom("FlexErf"), r"needs TensorFlow's operator 'FlexErf', .* \(TFLITE_BUILTINS\)"),
        (with_version, "needs the operator TRANSPOSE in version 99, which litert .*; install a newer one"),
        (with_number, "needs the operator of the number 300, which litert .*; install a newer one"),
        (with_schema, "is written in version 9 of the format, which litert .*; install a newer one"),
    ],
)
def test_what_a_file_needs_and_the_runtime_lacks_is_named(
    change: Callable[[Any], None], message: str, tmp_path: Path
) -> None:
    path, model = tmp_path / "model.tflite", read_tflite(control().read_bytes())
    change(model.model)
    path.write_bytes(model.content())

    with pytest.raises(MissingRuntimeError, match=message):
        load(path, LoadOptions(RunConfig(threads=1, provider="cpu")))


def test_a_graph_without_weights_has_the_precision_of_its_inputs(tmp_path: Path) -> None:
    path, model = tmp_path / "model.tflite", read_tflite(control().read_bytes())
    graph = model.model.subgraphs[0]
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = "edgetpu-custom-op"
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = list(graph.inputs), list(graph.outputs)
    graph.operators, model.model.operatorCodes = [operator], [code]
    used = [graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]]
    for tensor in used:
        tensor.type = schema.TensorType.UINT8
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [1 / 128], [128]
    graph.tensors, operator.inputs, operator.outputs = used, [0], [1]
    graph.inputs, graph.outputs = [0], [1]
    model.model.signatureDefs = []
    path.write_bytes(model.content())

    assert describe(path).precision is Precision.INT8
