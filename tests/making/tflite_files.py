"""LiteRT files for tests: the control workload's, and changes of it."""

from pathlib import Path
from typing import Any

import numpy as np

from bench.bundle.quantisation import Quantisation
from bench.runtimes.formats import FORMATS


def control() -> Path:
    file = FORMATS["litert"].control_file
    assert file is not None
    return file


def with_open_batch(path: Path) -> Path:
    """Write the control workload with the size of its batch left open."""
    from export.tflite_model import read_tflite

    model = read_tflite(control().read_bytes())
    for tensor in model.graph.tensors:
        sizes = [int(size) for size in tensor.shape]
        is_constant = model.model.buffers[tensor.buffer].data is not None
        if sizes[:1] == [1] and len(sizes) in (2, 4) and not is_constant:
            tensor.shapeSignature = [-1, *sizes[1:]]
    path.write_bytes(model.content())
    return path


def recurrent(path: Path) -> Path:
    """Write a network of one recurrent layer of one unit, which adds what it has seen to its input."""
    from ai_edge_litert import schema_py_generated as schema

    from export.tflite_model import read_tflite

    model = read_tflite(control().read_bytes())
    whole = model.model
    data = [None, [1.0], [1.0], [0.0]]
    whole.buffers = [schema.BufferT() for _ in data]
    for buffer, values in zip(whole.buffers, data, strict=True):
        buffer.data = None if values is None else np.array(values, np.float32).view(np.uint8)
    names = ("values", "weight", "recurrent", "bias", "state", "sums")
    shapes, buffers = ([1, 1, 1], [1, 1], [1, 1], [1], [1, 1], [1, 1, 1]), (0, 1, 2, 3, 0, 0)
    graph = whole.subgraphs[0]
    graph.tensors = [schema.TensorT() for _ in names]
    for tensor, name, shape, buffer in zip(graph.tensors, names, shapes, buffers, strict=True):
        tensor.name, tensor.shape, tensor.buffer = name, shape, buffer
        tensor.isVariable = name == "state"
    graph.inputs, graph.outputs = [0], [5]
    code, operator, options = schema.OperatorCodeT(), schema.OperatorT(), schema.SequenceRNNOptionsT()
    kind = schema.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_RNN
    code.builtinCode = code.deprecatedBuiltinCode = kind
    code.version = 1
    options.fusedActivationFunction = schema.ActivationFunctionType.NONE
    operator.inputs, operator.outputs = [0, 1, 2, 3, 4], [5]
    operator.builtinOptionsType, operator.builtinOptions = schema.BuiltinOptions.SequenceRNNOptions, options
    graph.operators, whole.operatorCodes = [operator], [code]
    whole.signatureDefs, whole.metadata, whole.metadataBuffer = [], [], []
    path.write_bytes(model.content())
    return path


def with_integers(path: Path, taken: Quantisation, given: Quantisation) -> Path:
    """Write the control workload with int8 instead of floats for its input and output."""
    from export.tflite_model import read_tflite

    model = read_tflite(control().read_bytes())
    graph = model.graph
    (first,), (last,) = graph.inputs, graph.outputs
    graph.inputs = [_add_int8(model.model, first, taken)]
    graph.outputs = [_add_int8(model.model, last, given)]
    graph.operators.insert(0, _added(model.model, "DEQUANTIZE", graph.inputs, [first]))
    graph.operators.append(_added(model.model, "QUANTIZE", [last], graph.outputs))
    model.model.signatureDefs = []
    path.write_bytes(model.content())
    return path


def _add_int8(model: Any, like: int, how: Quantisation) -> int:
    """Add a tensor of the sizes of another one, and return its number."""
    from ai_edge_litert import schema_py_generated as schema

    tensors = model.subgraphs[0].tensors
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = f"int8_{like}".encode(), list(tensors[like].shape), 0
    tensor.type, tensor.quantization = schema.TensorType.INT8, schema.QuantizationParametersT()
    tensor.quantization.scale, tensor.quantization.zeroPoint = [how.scale], [how.zero_point]
    tensors.append(tensor)
    return len(tensors) - 1


def _added(model: Any, kind: str, inputs: list[int], outputs: list[int]) -> Any:
    """Add an operator's kind, and return the operator."""
    from ai_edge_litert import schema_py_generated as schema

    code, operator = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
    code.version = 2
    operator.inputs, operator.outputs, operator.opcodeIndex = inputs, outputs, len(model.operatorCodes)
    model.operatorCodes.append(code)
    return operator
