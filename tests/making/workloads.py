"""Makes calibration's files: `python -m making.workloads` from tests/ writes them where they belong.

Each is the same operator several times over, in fp32 or in int8, on a tensor of its own size: what an image
adds to it is a mean, so that nothing but the operator takes time. Weights are constants, for only their time
is of interest. A kilobyte each, whatever exporter comes.
"""

import numpy as np
import onnx

from bench.runtimes.workloads import IMAGE_SIZE, WORKLOADS, Workload

WEIGHT, SCALE = 0.01, 0.02
_HELPER, _FLOAT, _INT64 = onnx.helper, onnx.TensorProto.FLOAT, onnx.TensorProto.INT64


def to_onnx(workload: Workload) -> onnx.ModelProto:
    """Write the graph: the image's mean, spread over the tensor, the operator `repeats` times, two logits."""
    nodes = [
        _HELPER.make_node("ReduceMean", ["image"], ["mean"], keepdims=0),
        _filled("zeros", "shape", np.float32(0)),
        _HELPER.make_node("Add", ["zeros", "mean"], ["value_0"]),
        *_weights(workload),
    ]
    value = "value_0"
    if workload.precision == "int8":
        nodes += _through_int8(value, "start")
        value = "start"
    for index in range(workload.repeats):
        operation = "Conv" if workload.operation == "convolution" else "MatMul"
        nodes.append(_HELPER.make_node(operation, [value, "weight"], [f"product_{index}"]))
        value = f"product_{index}"
        if workload.precision == "int8":
            nodes += _through_int8(value, f"value_{index + 1}")
            value = f"value_{index + 1}"
    nodes += [
        _HELPER.make_node("ReduceMean", [value], ["level"], keepdims=0),
        _HELPER.make_node("Expand", ["level", "two"], ["logits"]),
    ]
    return _model(workload, nodes)


def _filled(name: str, shape: str, value: np.generic) -> onnx.NodeProto:
    filling = onnx.numpy_helper.from_array(np.full(1, value))
    return _HELPER.make_node("ConstantOfShape", [shape], [name], value=filling)


def _weights(workload: Workload) -> list[onnx.NodeProto]:
    if workload.precision == "fp32":
        return [_filled("weight", "weight_shape", np.float32(WEIGHT))]
    return [
        _filled("weight_int8", "weight_shape", np.int8(1)),
        _HELPER.make_node("DequantizeLinear", ["weight_int8", "weight_scale", "weight_zero"], ["weight"]),
    ]


def _through_int8(value: str, name: str) -> list[onnx.NodeProto]:
    return [
        _HELPER.make_node("QuantizeLinear", [value, "scale", "zero"], [f"{name}_quantised"]),
        _HELPER.make_node("DequantizeLinear", [f"{name}_quantised", "scale", "zero"], [name]),
    ]


def _model(workload: Workload, nodes: list[onnx.NodeProto]) -> onnx.ModelProto:
    make, array = _HELPER.make_tensor, onnx.numpy_helper.from_array
    constants = [
        make("shape", _INT64, [len(workload.shape)], workload.shape),
        make("weight_shape", _INT64, [len(workload.weight)], workload.weight),
        make("two", _INT64, [2], (1, 2)),
    ]
    if workload.precision == "int8":
        constants += [
            array(np.float32(SCALE), "scale"),
            array(np.uint8(0), "zero"),
            array(np.float32(WEIGHT), "weight_scale"),
            array(np.int8(0), "weight_zero"),
        ]
    image = _HELPER.make_tensor_value_info("image", _FLOAT, [1, 3, IMAGE_SIZE, IMAGE_SIZE])
    logits = _HELPER.make_tensor_value_info("logits", _FLOAT, [1, 2])
    graph = _HELPER.make_graph(nodes, workload.name, [image], [logits], constants)
    return _HELPER.make_model(graph, opset_imports=[_HELPER.make_opsetid("", 18)], ir_version=10)


def main() -> None:
    for workload in WORKLOADS:
        workload.file.parent.mkdir(exist_ok=True)
        onnx.save(to_onnx(workload), workload.file)


if __name__ == "__main__":
    main()
