"""TorchScript by tracing, quantised by torch's FX mode. It knows their options, and nothing of verifying."""

import copy
import warnings
import zipfile
from pathlib import Path

import torch
from torch import nn
from torch.ao.quantization import HistogramObserver, PerChannelMinMaxObserver, QConfig, QConfigMapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from bench.variants import Precision
from export.exporter import STEM, Exported, ExportRequest
from export.float_prefix import first_convolutions, first_layers
from export.half_precision import METHOD as HALF_METHOD
from export.half_precision import is_stored_in_half
from export.quantised_engine import QuantisedEngine, engine_of_this_machine
from models.pixels import to_input, to_planes

# `features.0` to `features.2`, 17 % of a MobileNetV2's multiply-accumulates: agreement 0.987 and 0.994 on two
# networks, against 0.942 and 0.962 with `features.0` and `features.1` alone.
_CONVOLUTIONS_IN_FLOAT = 6
_INT8_METHOD = "torch FX post-training, histogram ranges, uint8 activations, int8 weights per channel"
_BATCH = 8


def export(request: ExportRequest) -> Exported:
    """Write `model.pt`: traced at batch 1, not frozen, for the runtime freezes and fuses when it loads."""
    match request.precision:
        case Precision.FP32:
            return _save(_trace(request.network, request.image_size), request)
        case Precision.FP16:
            return _save(
                _with_half_weights(_trace(request.network, request.image_size)), request, HALF_METHOD
            )
        case Precision.INT8:
            return _quantise(request)


def _trace(network: nn.Module, image_size: int) -> torch.jit.ScriptModule:
    example = torch.zeros(1, 3, image_size, image_size)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # tracing is deprecated; pyproject.toml bounds torch for that reason
        traced = torch.jit.trace(copy.deepcopy(network), example, check_trace=False)  # type: ignore[no-untyped-call]
    assert isinstance(traced, torch.jit.ScriptModule)
    return traced


def _save(
    module: torch.jit.ScriptModule,
    request: ExportRequest,
    method: str | None = None,
    engine: str | None = None,
    left_in_float: tuple[str, ...] = (),
) -> Exported:
    entry = request.folder / f"{STEM}.pt"
    saved = request.folder / f"{STEM}.whole"
    torch.jit.save(module, str(saved))
    _leave_out_debug_files(saved, entry)
    saved.unlink()
    return Exported(entry, f"torch {torch.__version__}", None, engine, method, left_in_float)


def _leave_out_debug_files(source: Path, target: Path) -> None:
    """Copy an archive without stack traces: they are a tenth of an int8 file, and hold paths."""
    with zipfile.ZipFile(source) as whole, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as lean:
        for member in whole.infolist():
            if not member.filename.endswith(".debug_pkl"):
                lean.writestr(member.filename, whole.read(member))


def _with_half_weights(module: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    """Store weights in half; the runtime makes them float again when it loads."""
    for parameter in module.parameters():
        if is_stored_in_half(parameter.shape):
            parameter.data = parameter.data.half()
    return module


def _quantise(request: ExportRequest) -> Exported:
    engine = engine_of_this_machine()
    torch.backends.quantized.engine = engine.name
    example = torch.zeros(1, 3, request.image_size, request.image_size)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # torch.ao.quantization is deprecated; see _trace
        observed = prepare_fx(copy.deepcopy(request.network), _recipe(request.network, engine), (example,))
        for first in range(0, len(request.calibration), _BATCH):
            observed(to_input(to_planes(request.calibration[first : first + _BATCH])))
        quantised = convert_fx(observed)
    modules = first_convolutions(request.network, _CONVOLUTIONS_IN_FLOAT)
    return _save(_trace(quantised, request.image_size), request, _INT8_METHOD, engine.name, modules)


def _recipe(network: nn.Module, engine: QuantisedEngine) -> QConfigMapping:
    """Quantise everything but the first layers."""
    settings = QConfig(  # type: ignore[no-untyped-call]
        activation=HistogramObserver.with_args(reduce_range=engine.reduce_range),
        weight=PerChannelMinMaxObserver.with_args(dtype=torch.qint8, qscheme=torch.per_channel_symmetric),
    )
    recipe = QConfigMapping().set_global(settings)
    for name in first_layers(network, _CONVOLUTIONS_IN_FLOAT):
        recipe.set_module_name(name, None)
    return recipe
