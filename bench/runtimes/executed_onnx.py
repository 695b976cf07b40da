"""What onnxruntime ran: the nodes of its optimised graph, from the profile of one inference.

The profile is used rather than the optimised model's file because it needs no onnx package on a board, and
because it holds what was executed, with the types and shapes that it was executed on. Channels that
onnxruntime pads to whole vectors (24 to 32, say) are computed, and so counted.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import FellBackError
from bench.measurements import Executed, Operator
from bench.runtimes.executed import (
    PRECISIONS,
    convolution_macs,
    inner_dimension,
    matrix_macs,
    moved,
    transposed_convolution_macs,
)

# Where in a node's inputs the weights stand: behind scale and zero point in the integer operators.
_TRANSPOSED = "ConvTranspose"
_CONVOLUTIONS = {
    _TRANSPOSED: 1,
    "Conv": 1,
    "FusedConv": 1,
    "NhwcFusedConv": 1,
    "ConvInteger": 1,
    "QLinearConv": 3,
}
_MATRICES = (
    *("MatMul", "FusedMatMul", "Gemm", "FusedGemm", "QGemm", "QLinearMatMul", "MatMulInteger"),
    *("DynamicQuantizeMatMul", "MatMulIntegerToFloat", "MatMulNBits"),
)
_CASTS = ("Cast",)
_QUANTISE = ("QuantizeLinear", "DynamicQuantizeLinear")
_DEQUANTISE = ("DequantizeLinear",)
# Every provider leaves these to the CPU, where shapes are.
_OF_SHAPES = ("Shape", "Size", "Gather", "Concat", "Unsqueeze", "Squeeze", "Slice", "Constant", "Reshape")
_NODE_SUFFIX = "_kernel_time"

Tensor = tuple[str, list[int]]


def executed_by(profile: Path, provider: str) -> Executed:
    """Read a profile that `InferenceSession.end_profiling` wrote about one inference.

    Raises FellBackError if a convolution or matrix product ran on another provider than `provider`.
    """
    events = json.loads(profile.read_text(encoding="utf-8"))
    nodes = [event for event in events if event.get("cat") == "Node" and event["name"].endswith(_NODE_SUFFIX)]
    kinds = [node["args"]["op_name"] for node in nodes]
    _refuse_elsewhere(nodes, provider)
    return Executed(
        source="onnxruntime's profile of its optimised graph",
        operators=tuple(
            _operator(node)
            for node, kind in zip(nodes, kinds, strict=True)
            if kind in _CONVOLUTIONS or kind in _MATRICES
        ),
        casts=sum(kind in _CASTS for kind in kinds),
        quantise=sum(kind in _QUANTISE for kind in kinds),
        dequantise=sum(kind in _DEQUANTISE for kind in kinds),
        elsewhere=sum(
            node["args"].get("provider", provider) != provider and node["args"]["op_name"] not in _OF_SHAPES
            for node in nodes
        ),
    )


def _refuse_elsewhere(nodes: Sequence[Mapping[str, Any]], provider: str) -> None:
    """Raise FellBackError if an operator did not run on the requested provider.

    A provider that takes whole pieces of the graph (TensorRT) shows them as nodes of its own.
    """
    elsewhere = Counter(
        node["args"]["provider"]
        for node in nodes
        if node["args"]["op_name"] in (*_CONVOLUTIONS, *_MATRICES)
        and node["args"].get("provider", provider) != provider
    )
    if elsewhere:
        ran, count = elsewhere.most_common(1)[0]
        raise FellBackError(f"{count} operators were to run on {provider}, but ran on {ran}")


def _operator(node: Mapping[str, Any]) -> Operator:
    kind = node["args"]["op_name"]
    inputs, outputs = _tensors(node["args"]["input_type_shape"]), _tensors(node["args"]["output_type_shape"])
    shapes = [shape for _, shape in inputs]
    return Operator(
        name=node["name"].removesuffix(_NODE_SUFFIX),
        operation=kind,
        precision=PRECISIONS.get(inputs[0][0], inputs[0][0]),
        macs=_macs(kind, shapes, outputs[0][1]),
        elements=moved(shapes[0], _weight(kind, shapes), outputs[0][1]),
    )


def _tensors(described: Sequence[Mapping[str, list[int]]]) -> list[Tensor]:
    return [(name, shape) for tensor in described for name, shape in tensor.items()]


def _macs(kind: str, inputs: list[list[int]], output: list[int]) -> int:
    weight = _weight(kind, inputs)
    if kind not in _CONVOLUTIONS:
        # Packed weights have a shape of their own, and are never transposed.
        second = weight if kind in _MATRICES[:4] else output
        return matrix_macs(output, inner_dimension(inputs[0], second, output))
    if kind == _TRANSPOSED:
        return transposed_convolution_macs(inputs[0], weight, inputs[0][1])
    return convolution_macs(output, weight, weight[0])


def _weight(kind: str, inputs: list[list[int]]) -> list[int]:
    """Return the shape of the weights; of a matrix product that is its largest input but the first."""
    if kind in _CONVOLUTIONS:
        return inputs[_CONVOLUTIONS[kind]]
    return max(inputs[1:], key=math.prod)
