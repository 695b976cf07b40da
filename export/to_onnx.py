"""Exports ONNX with torch.onnx.export and quantises with onnxruntime.

It knows their options, and verifies nothing.
"""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from torch import fx, nn

from bench.bundle.cpu_class import SAFE_LEVEL
from bench.bundle.recipe import RangeMethod
from bench.bundle.signature import Array, Inputs, Tensor
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from export.calibration import CalibrationInputs, held_at_once
from export.exporter import (
    HALF_METHOD,
    MOST_FOR_HISTOGRAMS,
    STEM,
    Exported,
    ExportRequest,
    is_stored_in_half,
    pools_an_image,
    with_layers_in_fp32,
)
from export.half_precision import Halving
from export.onnx_int8_graph import (
    keep_pools_in_fp32,
    pool_globally,
    protect_layers_in_fp32,
    round_pools_at_once,
    widen_few_channels,
)
from export.onnx_weights import onnx_model_of, with_tensors
from export.quantisation.simulation import layers_that_run_once, output_of
from export.quantisation.sums import Kind, Step, sums_in_float
from export.sources.onnx_preparation import QUANTISABLE_OPSET, opset_of
from export.sources.source import OnnxBase

# Clip (ReLU6) and Relu must be among them: otherwise they run in float, and the values before them are
# rounded as well, to a range that has room for the negative ones. That cost a SqueezeNet 4 dB.
_QUANTISED_OPERATORS = ["Conv", "Gemm", "MatMul", "Add", "Clip", "Relu"]
_WEIGHTED = ("Conv", "Gemm", "MatMul")
_KINDS = {"Conv": Kind.CONVOLUTION, "Gemm": Kind.MATRIX, "MatMul": Kind.MATRIX, "Add": Kind.SUM}
_CLIPPING = ("Clip", "Relu")
_RESHAPING = ("Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
_METHODS = {
    RangeMethod.MIN_MAX: CalibrationMethod.MinMax,
    RangeMethod.HISTOGRAM: CalibrationMethod.Percentile,
}
_INT8_METHOD = "onnxruntime quantize_static, QDQ, uint8 activations, int8 weights of ±{level} per channel"


def export(request: ExportRequest) -> Exported:
    """Write `model.onnx`: one file, static shapes, inputs and outputs named as the source's."""
    model = _float_model_of(request)
    entry = request.folder / f"{STEM}.onnx"
    match request.precision:
        case Precision.FP32:
            return _save(model, entry)
        case Precision.FP16:
            halving = Halving()
            half = _with_half_weights(model, halving)
            return with_layers_in_fp32(_save(half, entry, method=HALF_METHOD), halving)
        case Precision.INT8:
            return _quantise(model, request, entry)


def _float_model_of(request: ExportRequest) -> ModelProto:
    if isinstance(request.base, OnnxBase):
        return onnx_model_of(request.base, request)
    return _converted(request.network, request.float_network, request.inputs, request.outputs)


def _converted(
    network: fx.GraphModule,
    float_network: fx.GraphModule,
    inputs: tuple[Tensor, ...],
    outputs: tuple[Tensor, ...],
) -> ModelProto:
    """Convert a network, whose graph is converted once for all weights if that changes nothing else."""
    model = _float_model(float_network, inputs, outputs)
    if network is float_network:
        return model
    replaced = with_tensors(model, float_network.state_dict(), network.state_dict())
    return _convert(network, inputs, outputs) if replaced is None else replaced


@lru_cache(maxsize=1)
def _float_model(network: nn.Module, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> ModelProto:
    return _convert(network, inputs, outputs)


def _convert(network: nn.Module, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> ModelProto:
    example = tuple(torch.from_numpy(array) for array in constant_inputs(inputs))
    input_names, output_names = ([tensor.name for tensor in tensors] for tensors in (inputs, outputs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates its own internals while exporting
        program = torch.onnx.export(
            network, example, dynamo=True, input_names=input_names, output_names=output_names, verbose=False
        )
    assert program is not None
    model: ModelProto = program.model_proto
    _remove_metadata(model)
    _name_matrices(model)
    return model


def _name_matrices(model: ModelProto) -> None:
    """Name the weights of linear layers that run on every token or pixel after their module.

    The exporter transposes them and forgets their name. The bias that is added next has kept its own.
    """
    values = {tensor.name: tensor for tensor in model.graph.initializer}
    uses = Counter(name for node in model.graph.node for name in node.input)
    biases = {}
    for node in model.graph.node:
        if node.op_type == "Add" and (bias := _bias_of(node, values)) is not None:
            biases.update(dict.fromkeys(node.input, bias))
    for node in model.graph.node:
        if node.op_type != "MatMul" or node.output[0] not in biases or uses[node.input[1]] != 1:
            continue
        name = f"{biases[node.output[0]].removesuffix('.bias')}.weight"
        if node.input[1] in values and name not in values:
            values[node.input[1]].name = name
            node.input[1] = name


def _bias_of(node: NodeProto, values: Mapping[str, TensorProto]) -> str | None:
    """Return the name of the bias that a node adds; None if it adds none."""
    names = [name for name in node.input if name in values and name.endswith(".bias")]
    return names[0] if len(names) == 1 and len(values[names[0]].dims) == 1 else None


def _remove_metadata(model: ModelProto) -> None:
    """Remove stack traces, which contain paths of this machine."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    model.ClearField("metadata_props")


def _save(
    model: ModelProto, entry: Path, method: str | None = None, excluded_modules: tuple[str, ...] = ()
) -> Exported:
    onnx.checker.check_model(model, full_check=True)
    onnx.save_model(model, str(entry), save_as_external_data=False)
    return Exported(
        entry=entry,
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        opset=opset_of(model),
        method=method,
        excluded_modules=excluded_modules,
    )


def _with_half_weights(model: ModelProto, halving: Halving) -> ModelProto:
    """Store weights in half precision, each behind a Cast to float that runtimes fold at load."""
    half = ModelProto()
    half.CopyFrom(model)
    casts: list[NodeProto] = []
    for weight in half.graph.initializer:
        if weight.data_type == TensorProto.FLOAT and is_stored_in_half(weight.dims):
            name = weight.name
            values = halving.half(name, numpy_helper.to_array(weight))
            if values is None:
                continue
            weight.CopyFrom(numpy_helper.from_array(values, f"{name}_half"))
            casts.append(
                helper.make_node("Cast", [weight.name], [name], f"{name}_to_float", to=TensorProto.FLOAT)
            )
    nodes = list(half.graph.node)
    del half.graph.node[:]
    half.graph.node.extend([*casts, *nodes])
    return half


class _CalibrationReader(CalibrationDataReader):  # type: ignore[misc]
    """Gives onnxruntime the calibration inputs one inference at a time, range after range."""

    def __init__(self, inputs: CalibrationInputs) -> None:
        self._inputs = inputs
        self.set_range(0, len(inputs))

    def __len__(self) -> int:
        return len(self._inputs)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Start over with the inputs of this range only."""
        last = min(end_index, len(self._inputs))
        self._rest: Iterator[Inputs] = map(self._inputs.inputs, range(start_index, last))

    def get_next(self) -> dict[str, Array] | None:
        """Return the next inputs by name, or None after the last ones."""
        inputs = next(self._rest, None)
        names = [tensor.name for tensor in self._inputs.tensors]
        return None if inputs is None else dict(zip(names, inputs, strict=True))


def _inputs_for(request: ExportRequest) -> _CalibrationReader:
    """Return the inputs that ranges are found on: fewer for histograms."""
    most = len(request.calibration) if request.recipe.ranges is RangeMethod.MIN_MAX else MOST_FOR_HISTOGRAMS
    return _CalibrationReader(request.calibration.first(most))


class TooOldError(Exception):
    """A graph for an operator set in which int8 cannot be written, and which ONNX could not convert."""


def _quantise(model: ModelProto, request: ExportRequest, entry: Path) -> Exported:
    if opset_of(model) < QUANTISABLE_OPSET:
        raise TooOldError(
            f"the file is written for operator set {opset_of(model)}, int8 needs {QUANTISABLE_OPSET}, and "
            f"ONNX cannot convert it; export the network again for operator set {QUANTISABLE_OPSET} or newer"
        )
    if request.recipe.library_default:
        return _quantise_by_default(model, request, entry)
    modules = request.recipe.excluded_modules
    # quantize_static removes the weights from the model that it is given, so it is given a copy.
    copied = ModelProto()
    copied.CopyFrom(model)
    pool_globally(copied, _means_in_int8(model))
    inputs = _inputs_for(request)
    quantize_static(
        copied,
        str(entry),
        inputs,
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=_QUANTISED_OPERATORS,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        # onnxruntime's reduced range ends at ±64, like SAFE_LEVEL.
        reduce_range=request.weight_level == SAFE_LEVEL,
        nodes_to_exclude=[
            *_nodes_of(model, modules),
            *_products_in_float(model),
            *_sums_in_float(model),
            *_outputs_in_float(model),
        ],
        calibrate_method=_METHODS[request.recipe.ranges],
        extra_options={
            "CalibStridedMinMax": held_at_once(len(inputs), request.inputs),
            # Scores beyond the largest of the calibration inputs would be clipped: 2.6 dB for a ResNet-18.
            "OpTypesToExcludeOutputQuantization": ["Gemm"],
            "TensorQuantOverrides": _ranges_of(model, request),
        },
    )
    quantised = onnx.load_model(str(entry))
    protect_layers_in_fp32(quantised, modules)
    keep_pools_in_fp32(quantised)
    round_pools_at_once(quantised)
    widen_few_channels(quantised)
    _remove_metadata(quantised)
    return _save(
        quantised,
        entry,
        f"{_INT8_METHOD.format(level=request.weight_level)}, {request.recipe.description}",
        modules,
    )


def _ranges_of(model: ModelProto, request: ExportRequest) -> dict[str, list[dict[str, np.float32]]]:
    """Return the ranges that the weights were corrected for, of what layers read and give, by tensor name.

    Other ranges would round other values up, so that means shift which the correction had restored: an
    EfficientNet lost 10 dB.
    """
    layers = layers_that_run_once(request.network) if request.ranges else {}
    uses = Counter(name for node in model.graph.node for name in node.input)
    readers = {name: node for node in model.graph.node for name in node.input}
    nodes = {}
    for node in model.graph.node:
        if node.op_type not in _WEIGHTED or uses[node.input[1]] != 1:
            continue
        if (name := node.input[1].removesuffix(".weight")) not in layers:
            continue
        output, reader = node.output[0], readers.get(node.output[0])
        if reader is not None and reader.op_type in _CLIPPING:
            output = reader.output[0]
        nodes[node.input[0]] = layers[name].all_input_nodes[0].name
        nodes[output] = output_of(request.network, layers[name]).name
    found = {tensor: request.ranges[node] for tensor, node in nodes.items() if node in request.ranges}
    return {
        tensor: [{"rmin": np.float32(each.low), "rmax": np.float32(each.high)}]
        for tensor, each in found.items()
    }


def _quantise_by_default(model: ModelProto, request: ExportRequest, entry: Path) -> Exported:
    """Quantise with onnxruntime's defaults, and with its reduced range if sums would saturate."""
    copied = ModelProto()
    copied.CopyFrom(model)
    reduce_range = request.weight_level == SAFE_LEVEL
    quantize_static(copied, str(entry), _inputs_for(request), reduce_range=reduce_range)
    quantised = onnx.load_model(str(entry))
    _remove_metadata(quantised)
    return _save(quantised, entry, f"onnxruntime quantize_static, {request.recipe.description}")


def _nodes_of(model: ModelProto, modules: tuple[str, ...]) -> list[str]:
    """Return the names of the operators that compute these modules: a weight is named after its module."""
    by_weight = {node.input[1]: node.name for node in model.graph.node if node.op_type in _WEIGHTED}
    return [by_weight[f"{module}.weight"] for module in modules]


def _products_in_float(model: ModelProto) -> list[str]:
    """Return the names of matrix products without constant weights, such as those of attention."""
    constants = {tensor.name for tensor in model.graph.initializer}
    return [
        node.name for node in model.graph.node if node.op_type == "MatMul" and node.input[1] not in constants
    ]


def _sums_in_float(model: ModelProto) -> list[str]:
    """Return the names of the sums that stay in fp32, among them those that add a bias to a product."""
    constants = {tensor.name for tensor in model.graph.initializer}
    steps = [Step(name, Kind.CONSTANT, ()) for name in constants]
    steps += [Step(value.name, Kind.INPUT, ()) for value in model.graph.input]
    for node in model.graph.node:
        is_layer = node.op_type in _WEIGHTED and node.input[1] in constants
        kind = _KINDS.get(node.op_type, Kind.OTHER) if is_layer or node.op_type == "Add" else Kind.OTHER
        steps += [Step(output, kind, tuple(node.input)) for output in node.output]
    in_float = sums_in_float(steps)
    return [node.name for node in model.graph.node if not in_float.isdisjoint(node.output)]


def _means_in_int8(model: ModelProto) -> list[str]:
    """Return the names of means that are computed in int8: of the pixels of an image that is in int8 anyway.

    Others, such as those of a layer norm written out, and of squeeze-and-excitation after SiLU, stay in fp32:
    values would be rounded for the mean alone, and all that reads them would get rounded ones. So does a mean
    that gives an output.
    """
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    producers = {output: node for node in model.graph.node for output in node.output}
    in_float = {*_sums_in_float(model), *_outputs_in_float(model)}

    def is_in_int8(name: str) -> bool:
        node = producers.get(name)
        if node is not None and node.op_type in _CLIPPING:
            return is_in_int8(node.input[0])
        return node is not None and node.op_type in ("Conv", "Add") and node.name not in in_float

    return [
        node.name
        for node in model.graph.node
        if node.op_type == "ReduceMean"
        and node.name not in in_float
        and pools_an_image(_axes_of(node, stored))
        and is_in_int8(node.input[0])
    ]


def _outputs_in_float(model: ModelProto) -> list[str]:
    """Return the names of the sums and means that give an output, if only in another shape.

    An output is read in fp32, so that rounding it would gain nothing.
    """
    producers = {output: node for node in model.graph.node for output in node.output}
    names = []
    for value in model.graph.output:
        node = producers.get(value.name)
        while node is not None and node.op_type in _RESHAPING:
            node = producers.get(node.input[0])
        if node is not None and node.op_type in ("Add", "ReduceMean"):
            names.append(node.name)
    return names


def _axes_of(node: NodeProto, stored: Mapping[str, TensorProto]) -> list[int]:
    """Return the axes of a reduction: its second input since operator set 18, before that an attribute."""
    if len(node.input) > 1 and node.input[1] in stored:
        return [int(axis) for axis in numpy_helper.to_array(stored[node.input[1]])]
    return [axis for attribute in node.attribute if attribute.name == "axes" for axis in attribute.ints]
