"""The graph of an ONNX source with the weights that a recipe gave its layers. It knows no format but ONNX."""

import numpy as np
import torch
from onnx import ModelProto, numpy_helper
from torch import fx

from bench.bundle.signature import Array
from bench.bundle.variants import Precision
from export.exporter import ExportRequest
from export.quantisation.simulation import weighted
from export.sources.source import OnnxBase


def onnx_model_of(base: OnnxBase, request: ExportRequest) -> ModelProto:
    """Return the graph that an artifact is made from; without calibration inputs nothing is quantised."""
    is_corrected = request.precision is Precision.INT8 and request.recipe.corrected
    if is_corrected and len(request.calibration):
        return with_weights(base, request.network)
    return base.model


def with_weights(base: OnnxBase, network: fx.GraphModule) -> ModelProto:
    """Return a copy of the graph with the weights of a network of the same layers."""
    model = ModelProto()
    model.CopyFrom(base.model)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for layer in weighted(network):
        weight = network.get_parameter(f"{layer}.weight")
        values = {
            f"{layer}.weight": weight.T if layer in base.transposed else weight,
            f"{layer}.bias": network.get_parameter(f"{layer}.bias"),
        }
        for name, value in values.items():
            tensors[name].CopyFrom(numpy_helper.from_array(_array(value), name))
    return model


def _array(value: torch.Tensor) -> Array:
    return np.ascontiguousarray(value.detach().numpy())
