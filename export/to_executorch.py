"""Exports ExecuTorch for XNNPACK by torch.export, and quantises with torchao's PT2E.

It knows their options, and verifies nothing.
"""

import copy
import warnings
from typing import cast

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from executorch.exir import to_edge_transform_and_lower
from executorch.version import __version__ as executorch_version
from torch import Tensor, fx, nn
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import Quantizer

from bench.bundle.recipe import RangeMethod
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from export.calibration import CalibrationInputs
from export.executorch_in_int8 import RecipeQuantiser, dequantise_for_each
from export.exporter import MOST_FOR_HISTOGRAMS, STEM, Exported, ExportRequest, with_layers_in_fp32
from export.half_precision import Halving
from export.quantisation.simulation import weighted

_HALF_METHOD = "everything computed in half precision; weights rounded to it and stored in float"
_FLOAT = "float32"
_INT8_METHOD = "torchao PT2E, int8 activations, int8 weights of ±{level} per channel"


def export(request: ExportRequest) -> Exported:
    """Write `model.pte`, for batch 1 and XNNPACK."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch and torchao deprecate their own internals while exporting
        match request.precision:
            case Precision.FP32:
                return _save(request.network, request)
            case Precision.FP16:
                halving = Halving()
                half = _in_half(request, halving)
                return with_layers_in_fp32(_save(half, request, _HALF_METHOD), halving)
            case Precision.INT8:
                return _quantise(request)


def _example(request: ExportRequest) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in constant_inputs(request.inputs))


def _save(network: nn.Module, request: ExportRequest, method: str | None = None) -> Exported:
    exported = torch.export.export(network, _example(request))
    program = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
    entry = request.folder / f"{STEM}.pte"
    entry.write_bytes(program.buffer)
    return Exported(
        entry,
        f"executorch {executorch_version}",
        method=method,
        excluded_modules=request.recipe.excluded_modules,
    )


def _in_half(request: ExportRequest, halving: Halving) -> fx.GraphModule:
    """Return a network that computes in half precision, but for layers whose weights that cannot hold."""
    half = copy.deepcopy(request.network).half()
    graph = half.graph
    for name, node in weighted(half).items():
        layer = request.network.get_submodule(name)
        if halving.half(f"{name}.weight", cast("Tensor", layer.weight).numpy()) is None:
            half.set_submodule(name, copy.deepcopy(layer))
            with graph.inserting_before(node):
                node.args = (graph.call_method("float", node.args[:1]), *node.args[1:])
            _convert(node, "half")
    for node, tensor in zip(graph.find_nodes(op="placeholder"), request.inputs, strict=True):
        if tensor.dtype == _FLOAT:
            _convert(node, "half")
    results = graph.output_node()
    dtypes = iter(tensor.dtype for tensor in request.outputs)
    with graph.inserting_before(results):
        results.args = fx.map_arg(
            results.args,
            lambda node: graph.call_method("float", (node,)) if next(dtypes) == _FLOAT else node,
        )
    half.recompile()
    return half


def _convert(node: fx.Node, to: str) -> None:
    """Have everything that reads a node's value read it as `half`, or as `float`."""
    with node.graph.inserting_after(node):
        converted = node.graph.call_method(to, (node,))
    node.replace_all_uses_with(converted, delete_user_cb=lambda user: user is not converted)


def _quantise(request: ExportRequest) -> Exported:
    network, recipe, level = request.network, request.recipe, request.weight_level
    prepared = prepare_pt2e(torch.export.export(network, _example(request)).module(), _quantiser(request))
    for inputs in _inputs_for(request):
        prepared(*map(torch.from_numpy, inputs))
    quantised = convert_pt2e(prepared)
    dequantise_for_each(quantised)
    method = "torchao PT2E" if recipe.library_default else _INT8_METHOD.format(level=level)
    return _save(quantised, request, f"{method}, {recipe.description}")


def _quantiser(request: ExportRequest) -> Quantizer:
    level = request.weight_level
    if not request.recipe.library_default:
        return RecipeQuantiser(request.network, request.recipe, level)
    config = get_symmetric_quantization_config(is_per_channel=True, weight_qmin=-level, weight_qmax=level)
    return XNNPACKQuantizer().set_global(config)


def _inputs_for(request: ExportRequest) -> CalibrationInputs:
    """Return the inputs that ranges are found on: fewer for histograms, as XNNPACK's defaults use."""
    has_histograms = request.recipe.library_default or request.recipe.ranges is RangeMethod.HISTOGRAM
    return request.calibration.first(MOST_FOR_HISTOGRAMS) if has_histograms else request.calibration
