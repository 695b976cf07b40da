"""An ONNX graph with the weights that a recipe gave its layers. It knows no format but ONNX."""

import math
from collections.abc import Mapping

import numpy as np
import torch
from onnx import ModelProto, TensorProto, numpy_helper
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


def with_tensors(
    model: ModelProto, before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]
) -> ModelProto | None:
    """Return a copy of a network's graph with other values of its tensors, which have the same names there.

    `before`: the values that the graph was made of. None if the graph holds anything that was computed from
    them, other than a transposed matrix: then it has to be made again.
    """
    result = ModelProto()
    result.CopyFrom(model)
    stored = {tensor.name: tensor for tensor in result.graph.initializer}
    constants = [attribute.t for node in result.graph.node for attribute in node.attribute]
    if any(map(_may_be_weights, constants)) or result.functions:
        return None
    others = [tensor for name, tensor in stored.items() if name not in before]
    if any(map(_may_be_weights, others)) or not stored.keys() >= before.keys():
        return None
    for name, value in before.items():
        found, new = numpy_helper.to_array(stored[name]), _array(after[name])
        if np.array_equal(found, _array(value).T) and not np.array_equal(found, _array(value)):
            new = np.ascontiguousarray(new.T)
        elif not np.array_equal(found, _array(value)):
            return None
        stored[name].CopyFrom(numpy_helper.from_array(new, name))
    return result


def _may_be_weights(tensor: TensorProto) -> bool:
    """Tell whether a constant may be computed from weights: such as a bound of ReLU6 have one value."""
    return tensor.data_type == TensorProto.FLOAT and math.prod(tensor.dims) > 1


def _array(value: torch.Tensor) -> Array:
    return np.ascontiguousarray(value.detach().numpy())
