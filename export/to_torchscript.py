"""Exports TorchScript by tracing and quantises in torch's FX mode.

It knows their options, and verifies nothing.
"""

import copy
import platform
import warnings
import zipfile
from io import BytesIO
from pathlib import Path

import torch
from torch import fx, nn
from torch.ao.quantization import (
    HistogramObserver,
    MinMaxObserver,
    PerChannelMinMaxObserver,
    QConfig,
    QConfigMapping,
    get_default_qconfig_mapping,
)
from torch.ao.quantization.observer import UniformQuantizationObserverBase
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from bench.bundle.recipe import RangeMethod
from bench.bundle.tensor_pack import constant_inputs
from bench.bundle.variants import Precision
from bench.runtimes.quantised_engines import engine_for, portable_engine
from export.calibration import CalibrationInputs
from export.exporter import (
    HALF_METHOD,
    MOST_FOR_HISTOGRAMS,
    STEM,
    Exported,
    ExportRequest,
    is_stored_in_half,
    with_layers_in_fp32,
)
from export.half_precision import Halving
from export.quantisation.simulation import output_of, weighted
from export.torchscript_in_fp32 import keep_in_fp32, with_operators_in_fp32
from export.torchscript_ranges import limit_scales_of_sums, observe_within_bounds

_INT8_METHOD = "torch FX post-training, uint8 activations, int8 weights of ±{level} per channel"
_BATCH = 8
_OBSERVERS: dict[RangeMethod, type[UniformQuantizationObserverBase]] = {
    RangeMethod.MIN_MAX: MinMaxObserver,
    RangeMethod.HISTOGRAM: HistogramObserver,
}


def export(request: ExportRequest) -> Exported:
    """Write `model.pt`: traced at batch 1, and not frozen, since the runtime freezes and fuses at load."""
    match request.precision:
        case Precision.FP32:
            return _save(_trace(request.network, request), request)
        case Precision.FP16:
            halving = Halving()
            half = _with_half_weights(_trace(request.network, request), halving)
            return with_layers_in_fp32(_save(half, request, HALF_METHOD), halving)
        case Precision.INT8:
            return _quantise(request)


def _trace(network: nn.Module, request: ExportRequest) -> torch.jit.ScriptModule:
    example = _example(request)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing is deprecated; pyproject.toml bounds torch for that reason
        traced = torch.jit.trace(copy.deepcopy(network), example, check_trace=False)  # type: ignore[no-untyped-call]
    assert isinstance(traced, torch.jit.ScriptModule)
    return traced


def _example(request: ExportRequest) -> tuple[torch.Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in constant_inputs(request.inputs))


def _save(
    module: torch.jit.ScriptModule,
    request: ExportRequest,
    method: str | None = None,
    engine: str | None = None,
    excluded_modules: tuple[str, ...] = (),
) -> Exported:
    entry = request.folder / f"{STEM}.pt"
    complete = BytesIO()  # torch aborts the process if it writes to a full disk
    torch.jit.save(module, complete)
    _copy_without_debug_files(complete, entry)
    return Exported(entry, f"torch {torch.__version__}", None, engine, method, excluded_modules)


def _copy_without_debug_files(source: BytesIO, target: Path) -> None:
    """Copy an archive without stack traces, which are a tenth of an int8 file and contain paths."""
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as small:
        for member in archive.infolist():
            if not member.filename.endswith(".debug_pkl"):
                small.writestr(member.filename, archive.read(member))


def _with_half_weights(module: torch.jit.ScriptModule, halving: Halving) -> torch.jit.ScriptModule:
    """Store weights in half precision; the runtime converts them to float when it loads the file."""
    for name, parameter in module.named_parameters():
        if is_stored_in_half(parameter.shape):
            values = halving.half(name, parameter.detach().numpy())
            if values is not None:
                parameter.data = torch.from_numpy(values)
    return module


def _quantise(request: ExportRequest) -> Exported:
    engine, is_default = engine_for(request.cpu), request.recipe.library_default
    # Loading packs the weights again for the engine of that machine, so here any engine is right.
    packed_for = portable_engine(platform.machine())
    if packed_for is None:
        raise LookupError(
            f"torch has no engine for int8 on {platform.machine()}; export TorchScript without int8 here"
        )
    torch.backends.quantized.engine = packed_for
    example = _example(request)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch.ao.quantization is deprecated; see _trace
        observed = _observe_by_default(request, example) if is_default else _observe(request, example)
        inputs = _inputs_for(request)
        for first in range(0, len(inputs), _BATCH):
            observed(torch.from_numpy(inputs.batch(first, _BATCH)))
        limit_scales_of_sums(observed)
        quantised = convert_fx(observed)
    modules = request.recipe.excluded_modules
    method = "torch FX post-training" if is_default else _INT8_METHOD.format(level=request.weight_level)
    method = f"{method}, {request.recipe.description}"
    return _save(_trace(quantised, request), request, method, engine, modules)


def _inputs_for(request: ExportRequest) -> CalibrationInputs:
    """Return the inputs that ranges are found on: fewer for histograms, as torch's defaults use."""
    has_histograms = request.recipe.library_default or request.recipe.ranges is RangeMethod.HISTOGRAM
    return request.calibration.first(MOST_FOR_HISTOGRAMS) if has_histograms else request.calibration


def _clipped_layers(request: ExportRequest) -> dict[str, str]:
    """Return the layers in int8 that a ReLU6 follows, each with the name of that ReLU6."""
    network = request.network
    outputs = {name: output_of(network, layer) for name, layer in weighted(network).items()}
    return {
        name: str(node.target)
        for name, node in outputs.items()
        if name not in request.recipe.excluded_modules
        and node.op == "call_module"
        and isinstance(network.get_submodule(str(node.target)), nn.ReLU6)
    }


def _observe(request: ExportRequest, example: tuple[torch.Tensor, ...]) -> fx.GraphModule:
    """Return the network with observers, in which each ReLU6 is fused with the layer before it.

    Torch fuses a convolution with ReLU but not with ReLU6. It would quantise the input of ReLU6, and most of
    that range is clipped: the SQNR was 7 dB. So ReLU replaces ReLU6 while layers are fused, and ReLU6 returns
    while ranges are found. No value above 6 gets a level then, and int8 clips at 6 by itself.
    """
    network, clipped = with_operators_in_fp32(request.network), _clipped_layers(request)
    for activation in clipped.values():
        network.set_submodule(activation, nn.ReLU())
    observed: fx.GraphModule = prepare_fx(network, _settings(request), example)
    for layer in clipped:
        fused = observed.get_submodule(layer)
        assert isinstance(fused, nn.Sequential)
        fused[1] = nn.ReLU6()
    observe_within_bounds(observed, request.network)
    return observed


def _observe_by_default(request: ExportRequest, example: tuple[torch.Tensor, ...]) -> fx.GraphModule:
    """Return the network with the observers of torch's defaults, which give activations 7 bits on x86."""
    settings = get_default_qconfig_mapping(engine_for(request.cpu) or "x86")
    observed: fx.GraphModule = prepare_fx(copy.deepcopy(request.network), settings, example)
    return observed


def _settings(request: ExportRequest) -> QConfigMapping:
    """Return settings that quantise everything but the excluded modules."""
    settings = QConfig(  # type: ignore[no-untyped-call]
        activation=_OBSERVERS[request.recipe.ranges].with_args(reduce_range=False),
        weight=PerChannelMinMaxObserver.with_args(
            dtype=torch.qint8,
            qscheme=torch.per_channel_symmetric,
            quant_min=-request.weight_level,
            quant_max=request.weight_level,
        ),
    )
    mapping = QConfigMapping().set_global(settings)
    keep_in_fp32(mapping, request.network)
    layers = weighted(request.network)
    for name in request.recipe.excluded_modules:
        for module in {name, str(output_of(request.network, layers[name]).target)}:
            mapping.set_module_name(module, None)
    return mapping
