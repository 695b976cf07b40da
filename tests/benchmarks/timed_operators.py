"""What onnxruntime and OpenVINO ran of a model file, operator by operator, with times by their own profiles.

Each operator's time is the shortest of many inferences: other programs on the machine hardly make that
longer. Profiling itself takes about a microsecond an operator.
"""

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import onnxruntime
import openvino

from bench.bundle.signature import Inputs
from bench.runtimes.executed import PRECISIONS, convolution_macs

_RUNS = 150


@dataclass(frozen=True)
class TimedOperator:
    """An operator that ran."""

    name: str
    kind: str
    """What it does, as the table says it."""
    precision: str
    """What it was computed in."""
    output: tuple[int, ...]
    """The shape of its output."""
    macs: int
    """Its multiply-accumulates; 0 for what is no convolution or linear layer."""
    milliseconds: float


def timed_operators(format_: str, entry: Path, inputs: Inputs) -> list[TimedOperator]:
    """Run a file on one thread, and return its operators in order."""
    return {"onnx": _of_onnx, "openvino": _of_openvino}[format_](entry, inputs)


def _convolution(per_group: int, kernel: Sequence[int]) -> str:
    """Name a convolution by how many channels each output reads, and by its kernel."""
    if per_group == 1:
        return "depthwise convolutions"
    return "pointwise convolutions" if prod(kernel) == 1 else "other convolutions"


_ONNX_CONVOLUTIONS = {"Conv": 1, "FusedConv": 1, "NhwcFusedConv": 1, "QLinearConv": 3}
_ONNX_MATRICES = ("Gemm", "MatMul", "FusedMatMul", "FusedGemm", "QGemm", "QLinearMatMul")
_ONNX_KINDS = {
    **dict.fromkeys(("Add", "QLinearAdd"), "sums"),
    **dict.fromkeys(("ReduceMean", "GlobalAveragePool", "QLinearGlobalAveragePool"), "mean of the image"),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), "quantise, dequantise"),
    **dict.fromkeys(("Transpose", "ReorderInput", "ReorderOutput"), "change of layout"),
    **dict.fromkeys(("Clip", "Relu"), "ReLU or ReLU6 by itself"),
    **dict.fromkeys(("Sub", "Div", "Mul"), "normalisation of the input"),
}


def _of_onnx(entry: Path, inputs: Inputs) -> list[TimedOperator]:
    # Packed weights are no inputs, so that a profile of them lacks their shapes.
    shapes = {name: described for name, described, _ in _onnx_events(entry, inputs, 1, packed=False)}
    timed = _onnx_events(entry, inputs, _RUNS, packed=True)
    return [_onnx_operator(name, shapes[name], milliseconds) for name, _, milliseconds in timed]


def _onnx_events(
    entry: Path, inputs: Inputs, runs: int, packed: bool
) -> list[tuple[str, Mapping[str, Any], float]]:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    settings.enable_profiling = True
    settings.add_session_config_entry("session.disable_prepacking", str(int(not packed)))
    with tempfile.TemporaryDirectory() as folder:
        settings.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(str(entry), settings, providers=["CPUExecutionProvider"])
        names = [each.name for each in session.get_inputs()]
        for _ in range(runs):
            session.run(None, dict(zip(names, inputs, strict=True)))
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    times: dict[str, list[float]] = defaultdict(list)
    described = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["name"]].append(event["dur"] / 1e3)
            described[event["name"]] = event["args"]
    return [(name, described[name], min(each)) for name, each in times.items()]


def _onnx_operator(name: str, described: Mapping[str, Any], milliseconds: float) -> TimedOperator:
    operation = described["op_name"]
    (taken, *others), (output, *_) = (
        [next(iter(tensor.items())) for tensor in described[key]]
        for key in ("input_type_shape", "output_type_shape")
    )
    precision, macs = PRECISIONS[taken[0]], 0
    if operation in _ONNX_CONVOLUTIONS:
        weight = others[_ONNX_CONVOLUTIONS[operation] - 1][1]
        kind = _convolution(weight[1], weight[2:])
        macs = convolution_macs(output[1], weight, weight[0])
    elif operation in _ONNX_MATRICES:
        kind, macs = "linear layers", prod(output[1]) * taken[1][-1]
    else:
        kind = _ONNX_KINDS.get(operation, "anything else")
    name = name.removesuffix("_kernel_time")
    return TimedOperator(name, kind, precision, tuple(output[1]), macs, milliseconds)


_OPENVINO_KINDS = {
    "ReduceMean": "mean of the image",
    "Pooling": "mean of the image",
    "FakeQuantize": "quantise, dequantise",
    "Subgraph": "normalisation of the input",
    "Eltwise": "normalisation of the input",
    "Transpose": "change of layout",
}


def _of_openvino(entry: Path, inputs: Inputs) -> list[TimedOperator]:
    settings = {"PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": "1"}
    settings |= {"INFERENCE_PRECISION_HINT": "f32", "PERF_COUNT": "YES"}
    compiled = openvino.Core().compile_model(str(entry), "CPU", settings)
    request = compiled.create_infer_request()
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(_RUNS):
        request.infer(list(inputs))
        for operator in request.profiling_info:
            times[operator.node_name].append(operator.real_time.total_seconds() * 1e3)
    nodes = compiled.get_runtime_model().get_ordered_ops()
    ran = [node for node in nodes if times.get(node.get_friendly_name()) and node.get_input_size()]
    return [_openvino_operator(node, min(times[node.get_friendly_name()])) for node in ran]


def _openvino_operator(node: openvino.Node, milliseconds: float) -> TimedOperator:
    kind, output = _info(node, "layerType"), tuple(node.output(0).get_shape())
    precision, macs = PRECISIONS.get(_info(node, "runtimePrecision"), "other"), 0
    if kind == "Convolution":
        weight = list(node.input(1).get_shape())
        *_, per_group, height, width = weight
        macs = convolution_macs(output, weight, output[1])
        words = _convolution(per_group, (height, width))
    elif kind in ("FullyConnected", "MatMul"):
        words, macs = "linear layers", prod(output) * node.input(0).get_shape()[-1]
    elif kind in ("Reorder", "Convert"):
        before = _info(node.input_value(0).get_node(), "outputPrecisions").split(",")[0]
        after = _info(node, "outputPrecisions").split(",")[0]
        is_layout = PRECISIONS.get(before) == PRECISIONS.get(after)
        words = "change of layout" if is_layout else "quantise, dequantise"
    else:
        words = _OPENVINO_KINDS.get(kind, "anything else")
    return TimedOperator(node.get_friendly_name(), words, precision, output, macs, milliseconds)


def _info(node: openvino.Node, key: str) -> str:
    return str(node.get_rt_info()[key].astype(str))
