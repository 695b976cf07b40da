"""Exports OpenVINO IR with openvino.convert_model and quantises with NNCF.

It knows their options, and verifies nothing.
"""

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING

import nncf
import numpy as np
import numpy.typing as npt
import openvino
import torch
from nncf.quantization.advanced_parameters import OverflowFix
from nncf.quantization.range_estimator import RangeEstimatorParametersSet
from openvino import opset13
from openvino.passes import ConstantFolding, Manager
from torch import nn

from bench.bundle.cpu_class import SAFE_LEVEL
from bench.bundle.recipe import RangeMethod
from bench.bundle.signature import Tensor
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from export.exporter import (
    HALF_METHOD,
    STEM,
    Exported,
    ExportRequest,
    is_stored_in_half,
    with_layers_in_fp32,
)
from export.half_precision import Halving
from export.openvino_in_fp32 import kept_in_fp32
from export.quantisation.rounding import scale_of
from export.quantisation.simulation import along, layers_that_run_once, weighted
from export.sources.source import OnnxBase, OpenVinoBase

if TYPE_CHECKING:
    from onnx import ModelProto

_WEIGHTED = ("Convolution", "GroupConvolution", "MatMul")
_INT8_METHOD = "NNCF post-training, mixed preset, int8 weights of ±{level} per channel"

# How NNCF stores the int8 weights of a layer, starting at the layer: scale × float(levels).
_STORED = ("Multiply", "Convert", "Constant")

# Of a depthwise layer's values: as much as the second-level cache of a large core.
_MOST_BYTES_IN_FP32 = 2 << 20
_FLOAT_BYTES = 4

# How the name of an operator begins that computes a layer.
_OF_LAYER = "__module."

# Operators that move values, and compute none.
_MOVES = ("Reshape", "Squeeze", "Transpose", "Unsqueeze")

# How the weights of a layer in fp32 are stored; those of grouped convolutions are given another shape.
_STORED_IN_FLOAT = (("Constant",), ("Reshape", "Constant"))

_ESTIMATORS = {
    RangeMethod.MIN_MAX: RangeEstimatorParametersSet.MINMAX,
    RangeMethod.HISTOGRAM: RangeEstimatorParametersSet.HISTOGRAM,
}


class UnexpectedGraphError(Exception):
    """NNCF stored a layer in a form that this module does not know.

    The message names the layer and the form.
    """


@dataclass(frozen=True)
class _Stored:
    """Where a quantised layer's weights are stored."""

    levels: openvino.Input
    """The input that reads the int8 levels."""
    scale: openvino.Input
    """The input that reads the scales."""


def export(request: ExportRequest) -> Exported:
    """Write `model.xml` and `model.bin`: static shapes, inputs and outputs named as the source's."""
    model = _float_model_of(request).clone()
    match request.precision:
        case Precision.FP32:
            return _save(model, request)
        case Precision.FP16:
            halving = Halving()
            _halve_weights(model, halving)
            return with_layers_in_fp32(_save(model, request, HALF_METHOD), halving)
        case Precision.INT8:
            return _quantise(model, request)


def _float_model_of(request: ExportRequest) -> openvino.Model:
    match request.base:
        case OnnxBase() as base:
            from export.onnx_weights import onnx_model_of

            return _from_onnx(onnx_model_of(base, request))
        case OpenVinoBase(model=model):
            return model
    return _float_model(request.network, request.inputs, request.outputs)


def _from_onnx(graph: "ModelProto") -> openvino.Model:
    """Convert an ONNX graph, and name the operators of its layers as those of a network are named."""
    from export.sources.onnx_layers import layer_of

    model = openvino.Core().read_model(BytesIO(graph.SerializeToString()))
    stored = {tensor.name for tensor in graph.graph.initializer}
    layers = {layer_of(node, stored) for node in graph.graph.node}
    for constant in model.get_ops():
        layer = constant.get_friendly_name().removesuffix(".weight")
        if constant.get_type_name() == "Constant" and layer in layers:
            operator = _user_of(constant)
            operator.set_friendly_name(f"{_OF_LAYER}{layer}/{operator.get_type_name()}")
    passes = Manager()
    passes.register_pass(ConstantFolding())  # weights of groups are reshaped
    passes.run_passes(model)
    return model


def _user_of(weights: openvino.Node) -> openvino.Node:
    """Return the operator that multiplies by weights, which may be reshaped before."""
    nodes = [weights]
    for node in nodes:
        if node.get_type_name() in _WEIGHTED:
            return node
        nodes += [port.get_node() for port in node.output(0).get_target_inputs()]
    raise LookupError(f"the OpenVINO model has no operator for {weights.get_friendly_name()}")


@lru_cache(maxsize=1)
def _float_model(
    network: nn.Module, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]
) -> openvino.Model:
    example = tuple(torch.from_numpy(array) for array in constant_inputs(inputs))
    shapes = [list(tensor.sizes) for tensor in inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit.trace, which convert_model uses, is deprecated
        model = openvino.convert_model(network, example_input=example, input=shapes)
    for index, tensor in enumerate(inputs):
        model.input(index).tensor.set_names({tensor.name})
    for index, tensor in enumerate(outputs):
        model.output(index).tensor.set_names({tensor.name})
    return model


def _save(
    model: openvino.Model,
    request: ExportRequest,
    method: str | None = None,
    excluded_modules: tuple[str, ...] = (),
) -> Exported:
    """Write the model without OpenVINO's compression, which would store constants in half precision."""
    entry = request.folder / f"{STEM}.xml"
    openvino.save_model(model, str(entry), compress_to_fp16=False)
    quantiser = f", nncf {nncf.__version__}" if request.precision is Precision.INT8 else ""
    return Exported(
        entry=entry,
        producer=f"openvino {openvino.__version__}{quantiser}",
        method=method,
        excluded_modules=excluded_modules,
    )


def _halve_weights(model: openvino.Model, halving: Halving) -> None:
    """Store weights in half precision, each behind a Convert to float that compiling the model folds."""
    for constant in model.get_ordered_ops():
        if constant.get_type_name() != "Constant" or constant.get_element_type() != openvino.Type.f32:
            continue
        if not is_stored_in_half(list(constant.shape)):
            continue
        name = constant.get_friendly_name()
        values = halving.half(name.removeprefix("self."), constant.data)
        if values is not None:
            consumers = constant.output(0).get_target_inputs()
            converted = opset13.convert(opset13.constant(values, name=f"{name}_half"), "f32")
            for consumer in consumers:
                consumer.replace_source_output(converted.output(0))


def _quantise(model: openvino.Model, request: ExportRequest) -> Exported:
    nncf.set_log_level(logging.ERROR)
    if not len(request.calibration):  # a source that is quantised already
        return _save(model, request, "as the source has it")
    if request.recipe.library_default:
        return _quantise_by_default(model, request)
    if request.base is not None and not request.recipe.corrected:
        return _quantise_by_nncf(model, request)
    modules = request.recipe.excluded_modules
    quantised = nncf.quantize(
        model,
        _dataset(request),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(request.calibration),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=OverflowFix.DISABLE,
            disable_bias_correction=True,  # the recipe corrects biases itself
            activations_range_estimator_params=_ESTIMATORS[request.recipe.ranges],
        ),
        ignored_scope=nncf.IgnoredScope(names=[*_operators_of(model, modules), *kept_in_fp32(model)]),
    )
    in_float = _put_weights(quantised, request)
    _put_ranges(quantised, request)
    in_int8 = [name for name in layers_that_run_once(request.network) if name not in (*modules, *in_float)]
    operators = {name: _operator_of(quantised, name) for name in in_int8}
    in_float += _compute_depthwise_in_fp32(operators, request)
    method = f"{_INT8_METHOD.format(level=request.weight_level)}, {request.recipe.description}"
    return _save(quantised, request, method, (*modules, *in_float))


def _dataset(request: ExportRequest) -> nncf.Dataset:
    return nncf.Dataset(request.calibration, list)


def _quantise_by_default(model: openvino.Model, request: ExportRequest) -> Exported:
    """Quantise with NNCF's defaults, and with its overflow fix for every layer if sums would saturate."""
    fix = OverflowFix.ENABLE if request.weight_level == SAFE_LEVEL else None
    quantised = nncf.quantize(
        model,
        _dataset(request),
        subset_size=len(request.calibration),
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
    )
    return _save(quantised, request, f"NNCF post-training, {request.recipe.description}")


def _quantise_by_nncf(model: openvino.Model, request: ExportRequest) -> Exported:
    """Quantise a file whose layers edgefit does not know: NNCF rounds its weights and corrects its biases."""
    modules = request.recipe.excluded_modules
    fix = OverflowFix.ENABLE if request.weight_level == SAFE_LEVEL else OverflowFix.DISABLE
    quantised = nncf.quantize(
        model,
        _dataset(request),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(request.calibration),
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=fix, activations_range_estimator_params=_ESTIMATORS[request.recipe.ranges]
        ),
        ignored_scope=nncf.IgnoredScope(names=[*_operators_of(model, modules), *kept_in_fp32(model)]),
    )
    method = f"NNCF post-training, {request.recipe.description}, bias correction by NNCF"
    operators = {_layer_of(operator, request): operator for operator in quantised.get_ordered_ops()}
    return _save(quantised, request, method, (*modules, *_compute_depthwise_in_fp32(operators, request)))


def _put_weights(model: openvino.Model, request: ExportRequest) -> tuple[str, ...]:
    """Replace NNCF's weights by the network's own, on their grid of ±`weight_level`.

    NNCF gives every output channel at least a hundredth of the layer's largest range, so that the weights of
    small channels have only a few steps (one network lost 5 dB of SQNR). And it has no grid that ends at ±64.
    Return the layers that NNCF keeps in fp32 by itself, such as those of squeeze-and-excitation.
    """
    in_float = []
    layers = [name for name in weighted(request.network) if name not in request.recipe.excluded_modules]
    for name in layers:
        weight = request.network.get_parameter(f"{name}.weight").detach()
        stored = _stored(model, name)
        if stored is None:
            in_float.append(name)
            continue
        scale = scale_of(weight, request.weight_level)
        levels = torch.round(weight / along(scale, weight, 0)).numpy().astype(np.int8)
        if isinstance(request.base, OnnxBase) and name in request.base.transposed:
            levels = levels.T
        _replace(stored.levels, levels)
        _replace(stored.scale, scale.numpy())
    if layers and in_float == layers:
        raise _unexpected(layers[0], _STORED_IN_FLOAT[0])
    return tuple(in_float)


def _put_ranges(model: openvino.Model, request: ExportRequest) -> None:
    """Replace NNCF's ranges of what layers read by those that the weights were corrected for.

    NNCF gives each channel that a depthwise layer reads a range of its own. The layer before takes longer to
    round to those, 5 % of a MobileNetV2's inference at 224 pixels.
    """
    layers = layers_that_run_once(request.network) if request.ranges else {}
    for name, node in layers.items():
        range_ = request.ranges.get(node.all_input_nodes[0].name)
        rounding = _before_moves(_operator_of(model, name))
        if range_ is None or rounding.get_type_name() != "FakeQuantize":
            continue
        grid = range_.on_grid()
        if grid.low < grid.high:
            for port, value in zip(rounding.inputs()[1:], (grid.low, grid.high) * 2, strict=True):
                shape = [1] * len(port.get_shape())
                port.replace_source_output(opset13.constant(np.full(shape, value, np.float32)).output(0))


def _compute_depthwise_in_fp32(
    operators: Mapping[str, openvino.Node], request: ExportRequest
) -> tuple[str, ...]:
    """Let depthwise convolutions of `operators` read values that are not rounded; return their names.

    That is for files that CPUs without VNNI run as well, whose int8 depthwise kernels are slower than those
    of fp32. A CPU with VNNI takes longer with large values in fp32, so those that do not fit in its cache
    stay in int8. The weights are in int8 in any case. Figures are in docs/int8.md.
    """
    if request.weight_level != SAFE_LEVEL:
        return ()
    names = []
    for name, operator in operators.items():
        if operator.get_type_name() != "GroupConvolution" or not _is_depthwise(operator):
            continue
        rounding, values = operator.input_value(0).get_node(), operator.input(0)
        is_rounded = rounding.get_type_name() == "FakeQuantize"
        is_static = not values.get_partial_shape().is_dynamic
        if is_rounded and is_static and _FLOAT_BYTES * _size(values) <= _MOST_BYTES_IN_FP32:
            values.replace_source_output(rounding.input_value(0))
            names.append(name)
    return tuple(names)


def _is_depthwise(convolution: openvino.Node) -> bool:
    """Tell whether each group of a convolution with weights [groups, out, in, ...] has one input channel."""
    return bool(convolution.input_value(1).get_partial_shape()[2] == 1)


def _size(port: openvino.Input) -> int:
    return prod(port.get_shape())


def _before_moves(operator: openvino.Node) -> openvino.Node:
    """Return what gives an operator its values, before they are only moved."""
    before = operator.input_value(0).get_node()
    while before.get_type_name() in _MOVES:
        before = before.input_value(0).get_node()
    return before


def _stored(model: openvino.Model, module: str) -> _Stored | None:
    """Return where a layer's int8 weights are stored, or None if they are in fp32.

    Raises UnexpectedGraphError if the form is unknown.
    """
    chain = [_operator_of(model, module).input_value(1).get_node()]
    while len(chain) < len(_STORED) and chain[-1].get_input_size():
        chain.append(chain[-1].input_value(0).get_node())
    kinds = tuple(node.get_type_name() for node in chain)
    if kinds in _STORED_IN_FLOAT and chain[-1].get_element_type() == openvino.Type.f32:
        return None
    if kinds != _STORED:
        raise _unexpected(module, kinds)
    multiply, convert, _ = chain
    return _Stored(levels=convert.input(0), scale=multiply.input(1))


def _unexpected(module: str, kinds: tuple[str, ...]) -> UnexpectedGraphError:
    return UnexpectedGraphError(
        f"{module}: NNCF {nncf.__version__} stored the weights as {' of '.join(kinds)}, but edgefit "
        f"expects {' of '.join(_STORED)}; install the NNCF version of constraints.txt, "
        "or export OpenVINO without int8"
    )


def _replace(target: openvino.Input, values: npt.NDArray[np.generic]) -> None:
    """Replace the values of the constant that an input reads; the shape stays."""
    shape = target.get_source_output().get_node().get_shape()
    target.replace_source_output(opset13.constant(values.reshape(list(shape))).output(0))


def _operators_of(model: openvino.Model, modules: tuple[str, ...]) -> list[str]:
    """Return the names of the operators that compute these modules."""
    return [_operator_of(model, module).get_friendly_name() for module in modules]


def _layer_of(operator: openvino.Node, request: ExportRequest) -> str:
    """Return the name of what an operator computes: that of the operator, or as `_from_onnx` named it."""
    name = str(operator.get_friendly_name())
    is_named = isinstance(request.base, OnnxBase) and name.startswith(_OF_LAYER)
    return name.removeprefix(_OF_LAYER).rpartition("/")[0] if is_named else name


def _operator_of(model: openvino.Model, module: str) -> openvino.Node:
    """Return the operator that computes a module."""
    for operator in model.get_ops():
        is_weighted = operator.get_type_name() in _WEIGHTED
        name = operator.get_friendly_name()
        if is_weighted and (name == module or name.startswith(f"{_OF_LAYER}{module}/")):
            return operator
    raise LookupError(f"the OpenVINO model has no operator for {module}")
