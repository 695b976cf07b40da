"""Makes of an ONNX file the graph that formats are made from.

Its shapes are fixed, its constants folded, and batch norms are part of the convolutions before them. It
knows ONNX's and onnxruntime's own means for that. What a layer is, `onnx_layers.py` knows.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
import onnxruntime
from onnx import ModelProto, inliner, shape_inference, version_converter

from bench.bundle.signature import Tensor

# The first operator set whose DequantizeLinear takes a scale for each channel.
QUANTISABLE_OPSET = 13
# The first version of the file format in which a weight need not be listed among the inputs.
_OWN_WEIGHTS_IR = 4
_ERRORS_ONLY = 3


def fixed_model(path: Path, inputs: Sequence[Tensor]) -> ModelProto:
    """Read a model with its external data, and give its inputs these shapes."""
    model = inliner.inline_local_functions(onnx.load_model(str(path)))
    graph = model.graph
    stored = {tensor.name for tensor in graph.initializer}
    taken = [value for value in graph.input if value.name not in stored]
    del graph.input[:]
    graph.input.extend(taken)
    del graph.value_info[:]
    model.ir_version = max(model.ir_version, _OWN_WEIGHTS_IR)
    for value, tensor in zip(graph.input, inputs, strict=True):
        _set_shape(value, tensor.sizes)
    for value in graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    return model


def _set_shape(value: onnx.ValueInfoProto, sizes: Sequence[int]) -> None:
    shape = value.type.tensor_type.shape
    del shape.dim[:]
    for size in sizes:
        shape.dim.add().dim_value = size


def prepared_model(model: ModelProto, outputs: Sequence[Tensor]) -> ModelProto:
    """Return a model in float as onnxruntime simplifies it: without batch norms that a convolution can hold.

    Its operator set is raised to that which quantisation needs, where ONNX's converter can. `outputs`: how
    many axes each has that no rule of ONNX tells, such as that of a loop.
    """
    simple = _simplified(_raised(model))
    del simple.graph.value_info[:]
    inferred = shape_inference.infer_shapes(simple)
    for value, tensor in zip(inferred.graph.output, outputs, strict=True):
        if value.type.HasField("tensor_type") and not value.type.tensor_type.HasField("shape"):
            shape = value.type.tensor_type.shape
            shape.SetInParent()
            for _ in tensor.sizes:
                shape.dim.add()
    return inferred


def opset_of(model: ModelProto) -> int:
    """Return the version of ONNX's own operators that a model is written for."""
    return next(int(opset.version) for opset in model.opset_import if opset.domain in ("", "ai.onnx"))


def _raised(model: ModelProto) -> ModelProto:
    """Return the model for a newer operator set; the model itself where ONNX cannot convert an operator.

    It serves for everything but int8, and whoever quantises it refuses it.
    """
    if opset_of(model) >= QUANTISABLE_OPSET:
        return model
    try:
        return version_converter.convert_version(model, QUANTISABLE_OPSET)
    except RuntimeError:
        return model


def _simplified(model: ModelProto) -> ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "simplified.onnx"
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = _ERRORS_ONLY
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        settings.optimized_model_filepath = str(file)
        onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
        return onnx.load_model(str(file))
