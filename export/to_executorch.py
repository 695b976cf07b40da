"""Exports ExecuTorch for XNNPACK by torch.export, and quantises with torchao's PT2E.

It knows their options, and verifies nothing.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
    XNNPACKQuantizer,
    get_symmetric_quantization_config,
)
from executorch.exir import to_edge_transform_and_lower
from executorch.version import __version__ as executorch_version
from torch import fx, nn
from torch.fx.traceback import NodeSource
from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e
from torchao.quantization.pt2e.quantizer import Quantizer

from bench.bundle.recipe import RangeMethod
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from export.calibration import CalibrationInputs
from export.executorch_in_half import store_halves
from export.executorch_in_int8 import RecipeQuantiser, dequantise_for_each, put_range, ranges_of
from export.exporter import MOST_FOR_HISTOGRAMS, STEM, Exported, ExportRequest, with_layers_in_fp32
from export.half_network import in_half
from export.half_precision import Halving

_COPY = "__deepcopy__"
_HALF_METHOD = "everything stored and computed in half precision"
_INT8_METHOD = "torchao PT2E, int8 activations, int8 weights of ±{level} per channel"


def export(request: ExportRequest) -> Exported:
    """Write `model.pte`, for batch 1 and XNNPACK."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch and torchao deprecate their own internals while exporting
        store_halves()
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
    with _shared_histories():
        program = to_edge_transform_and_lower(exported, partitioner=[XnnpackPartitioner()]).to_executorch()
    entry = request.folder / f"{STEM}.pte"
    entry.write_bytes(program.buffer)
    return Exported(
        entry,
        f"executorch {executorch_version}",
        method=method,
        excluded_modules=request.recipe.excluded_modules,
    )


@contextmanager
def _shared_histories() -> Iterator[None]:
    """Have the nodes of graphs share what is noted of those that they were made of.

    Each of the exporter's passes makes all nodes anew, and torch copies the notes, which grow with each pass.
    """
    setattr(NodeSource, _COPY, lambda source, _: source)
    try:
        yield
    finally:
        delattr(NodeSource, _COPY)


def _in_half(request: ExportRequest, halving: Halving) -> fx.GraphModule:
    examples = request.samples if len(request.samples) else [constant_inputs(request.inputs)]
    return in_half(request.network, examples, request.outputs, halving)


def _quantise(request: ExportRequest) -> Exported:
    network, recipe, level = request.network, request.recipe, request.weight_level
    prepared = prepare_pt2e(torch.export.export(network, _example(request)).module(), _quantiser(request))
    _calibrate(prepared, request)
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


def _calibrate(prepared: fx.GraphModule, request: ExportRequest) -> None:
    """Have observers find the ranges of values and weights. Where weights were corrected for known ranges,
    these are taken, and one image is run, for the weights."""
    found = ranges_of(prepared, request.ranges)
    is_known = bool(request.ranges) and None not in found.values()
    for inputs in request.calibration.first(1) if is_known else _inputs_for(request):
        prepared(*map(torch.from_numpy, inputs))
    for observer, known in found.items():
        if known is not None:
            put_range(observer, known)


def _inputs_for(request: ExportRequest) -> CalibrationInputs:
    """Return the inputs that ranges are found on: fewer for histograms, as XNNPACK's defaults use."""
    has_histograms = request.recipe.library_default or request.recipe.ranges is RangeMethod.HISTOGRAM
    return request.calibration.first(MOST_FOR_HISTOGRAMS) if has_histograms else request.calibration
