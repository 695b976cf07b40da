"""ONNX files as engineers bring them to export, one function each. Their weights are the same every time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto

from making.onnx_models import constant, node, tensor, weight, write


def residual(path: Path, opset: int = 11, batch: int | str = "n") -> Path:
    """Write an image classifier with a batch norm, a residual connection and softmax at the end.

    Its operators have no names, and two layers share a bias, as torch's older exporter writes it.
    """
    nodes = [
        node("Conv", ["image", "stem.weight"], ["c1"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c1", "scale", "shift", "mean", "variance"], ["b1"]),
        node("Relu", ["b1"], ["r1"]),
        node("Conv", ["r1", "depthwise.weight", "bias"], ["c2"], group=8, pads=[1, 1, 1, 1]),
        node("Clip", ["c2", "low", "high"], ["r2"]),
        node("Conv", ["r2", "pointwise.weight", "bias"], ["c3"]),
        node("Add", ["c3", "r1"], ["sum"]),
        node("GlobalAveragePool", ["sum"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("Gemm", ["flat", "head", "head_bias"], ["logits"], name="/classifier/classifier.1/Gemm"),
        node("Softmax", ["logits"], ["scores"], axis=1),
    ]
    weights = [
        weight("stem.weight", 8, 3, 3, 3),
        *(weight(name, 8) for name in ("scale", "shift", "mean", "bias")),
        constant("variance", np.linspace(0.5, 2, 8), np.float32),
        weight("depthwise.weight", 8, 1, 3, 3),
        weight("pointwise.weight", 8, 8, 1, 1),
        constant("low", 0, np.float32),
        constant("high", 6, np.float32),
        weight("head", 8, 3),
        weight("head_bias", 3),
    ]
    inputs, outputs = [tensor("image", (batch, 3, 12, 12))], [tensor("scores", (batch, 3))]
    return write(path, nodes, inputs, outputs, weights, opset=opset, ir_version=6)


def keras_like(path: Path, batch: int = 2) -> Path:
    """Write a classifier of NHWC uint8 images, a fixed number of them at once, padded as TensorFlow does it.

    It has two outputs; the second is the classes.
    """
    nodes = [
        node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        node("Mul", ["float", "scale"], ["scaled"]),
        node("Transpose", ["scaled"], ["nchw"], perm=[0, 3, 1, 2]),
        node("Conv", ["nchw", "w"], ["c1"], "model/conv2d/Conv2D", auto_pad="SAME_UPPER", strides=[2, 2]),
        node("LeakyRelu", ["c1"], ["r1"], alpha=0.1),
        node("LRN", ["r1"], ["normal"], size=3),
        node("ReduceMean", ["normal"], ["embedding"], axes=[2, 3], keepdims=0),
        node("MatMul", ["embedding", "m"], ["product"], "model/dense/MatMul"),
        node("Add", ["product", "bias"], ["logits"], "model/dense/BiasAdd"),
    ]
    weights = [
        constant("scale", 1 / 255, np.float32),
        weight("w", 8, 3, 3, 3),
        weight("m", 8, 4),
        weight("bias", 4),
    ]
    inputs = [tensor("image", (batch, 10, 10, 3), TensorProto.UINT8)]
    outputs = [tensor("embedding", (batch, 8)), tensor("logits", (batch, 4))]
    return write(path, nodes, inputs, outputs, weights)


def attention(path: Path) -> Path:
    """Write a classifier of tokens whose layer norm and attention are written out, as for old opsets."""
    nodes = [
        node("MatMul", ["tokens", "first.weight"], ["embedded"]),
        node("ReduceMean", ["embedded"], ["mean"], axes=[-1]),
        node("Sub", ["embedded", "mean"], ["centred"]),
        node("Pow", ["centred", "two"], ["squared"]),
        node("ReduceMean", ["squared"], ["variance"], axes=[-1]),
        node("Add", ["variance", "epsilon"], ["positive"]),
        node("Sqrt", ["positive"], ["deviation"]),
        node("Div", ["centred", "deviation"], ["normal"]),
        node("MatMul", ["normal", "queries.weight"], ["queries"]),
        node("MatMul", ["normal", "keys.weight"], ["keys"]),
        node("Transpose", ["keys"], ["turned"], perm=[0, 2, 1]),
        node("MatMul", ["queries", "turned"], ["products"]),
        node("Softmax", ["products"], ["attention"], axis=-1),
        node("MatMul", ["attention", "normal"], ["values"]),
        node("MatMul", ["values", "projection.weight"], ["projected"]),
        node("ReduceMean", ["projected"], ["pooled"], axes=[1], keepdims=0),
        node("Gemm", ["pooled", "head.weight", "head.bias"], ["logits"]),
    ]
    weights = [
        constant("two", 2, np.float32),
        constant("epsilon", 1e-6, np.float32),
        *(weight(f"{name}.weight", 16, 16) for name in ("first", "queries", "keys", "projection")),
        weight("head.weight", 16, 3),
        weight("head.bias", 3),
    ]
    inputs, outputs = [tensor("tokens", (1, 5, 16))], [tensor("logits", (1, 3))]
    return write(path, nodes, inputs, outputs, weights, opset=14)


def quantised(path: Path, shape: Sequence[int | str] = ("n", 3, 8, 8)) -> Path:
    """Write a convolution whose input and weights are quantised."""
    nodes = [
        node("QuantizeLinear", ["image", "scale", "zero"], ["q"]),
        node("DequantizeLinear", ["q", "scale", "zero"], ["x"]),
        node("DequantizeLinear", ["w", "scale", "weight_zero"], ["weights"]),
        node("Conv", ["x", "weights"], ["features"]),
        node("GlobalAveragePool", ["features"], ["pooled"]),
        node("Flatten", ["pooled"], ["logits"]),
    ]
    weights = [
        constant("scale", 0.01, np.float32),
        constant("zero", 0, np.uint8),
        constant("weight_zero", 0, np.int8),
        weight("w", 4, 3, 3, 3, dtype=np.int8),
    ]
    return write(path, nodes, [tensor("image", shape)], [tensor("logits", (shape[0], 4))], weights)
