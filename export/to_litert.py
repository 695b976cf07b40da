"""Exports LiteRT with litert_torch and quantises with ai-edge-quantizer.

A network is converted once: the files of all its recipes differ in their weights alone, which are put into
the converted file. It knows the options of both tools, and verifies nothing.
"""

import os
import warnings
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from torch import fx, nn

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
from export.quantisation.simulation import weighted
from export.sources.source import TfliteBase
from export.tflite_int8 import quantised, version_of_quantiser
from export.tflite_model import TfliteModel, Values, read_tflite

# The converter computes folded values in single precision.
_ROUNDING = 1e-5


@dataclass(frozen=True)
class _Architecture:
    """A network as far as its conversion depends on it: all but the weights of its layers."""

    text: str
    """Its graph and its modules as text, which tells two architectures apart."""
    inputs: tuple[Tensor, ...]
    """What it takes."""
    outputs: tuple[Tensor, ...]
    """What it gives."""
    network: fx.GraphModule = field(compare=False)
    """A network of this architecture."""


@dataclass(frozen=True)
class _Folded:
    """What the converter folded into a layer."""

    factor: float = 1.0
    """What its weights and bias are multiplied by."""
    offset: float = 0.0
    """What is then added to its bias."""


@dataclass(frozen=True)
class _Converted:
    """A converted network."""

    content: bytes
    """The file."""
    layers: Mapping[int, str]
    """Which operators, by their number, compute which modules."""
    folded: Mapping[int, _Folded]
    """What is folded into each of these operators, such as the slope of the hard sigmoid that follows."""
    others: Mapping[str, torch.Tensor]
    """All other values of the network, which are part of the file in some other form."""


def export(request: ExportRequest) -> Exported:
    """Write `model.tflite`: static shapes in the source's layout, inputs and outputs named as its own."""
    model, layers, changed = _model_of(request)
    match request.precision:
        case Precision.FP32:
            return _save(model, request)
        case Precision.FP16:
            halving = Halving()
            _halve_weights(model, layers, halving)
            return with_layers_in_fp32(_save(model, request, HALF_METHOD), halving)
        case Precision.INT8:
            made = quantised(model, layers, changed, request)
            return _save(made.model, request, made.method, made.excluded_modules)


def _save(
    model: TfliteModel,
    request: ExportRequest,
    method: str | None = None,
    excluded_modules: tuple[str, ...] = (),
) -> Exported:
    entry = request.folder / f"{STEM}.tflite"
    model.name_ends(request.inputs, request.outputs)
    entry.write_bytes(model.content())
    quantiser = f", {version_of_quantiser()}" if request.precision is Precision.INT8 else ""
    return Exported(
        entry=entry,
        producer=f"litert-torch {_version()}{quantiser}",
        method=method,
        excluded_modules=excluded_modules,
    )


def _version() -> str:
    from litert_torch.version import __version__

    return str(__version__)


def converted(network: fx.GraphModule, inputs: tuple[Tensor, ...], outputs: tuple[Tensor, ...]) -> bytes:
    """Return a network as the bytes of a file."""
    model = read_tflite(_convert(network, inputs).content)
    model.name_ends(inputs, outputs)
    return model.content()


def _model_of(request: ExportRequest) -> tuple[TfliteModel, Mapping[int, str], Set[int]]:
    """Return the request's network as a file, which operators compute which modules, and into which of them
    the converter put something else."""
    if isinstance(request.base, TfliteBase):
        own = read_tflite(request.base.content)
        return own, {position: own.name(position) for position in own.layers()}, frozenset()
    network = request.network
    text = f"{network.code}\n{network}"
    shared = _converted(_Architecture(text, request.inputs, request.outputs, network))
    others = _other_values(network, set(shared.layers.values()))
    if not all(torch.equal(others[name], value) for name, value in shared.others.items()):
        shared = _convert(network, request.inputs)
    model = read_tflite(shared.content)
    _put_weights(model, shared, network)
    changed = {position for position, folded in shared.folded.items() if folded != _Folded()}
    return model, shared.layers, changed


@lru_cache(maxsize=1)
def _converted(architecture: _Architecture) -> _Converted:
    return _convert(architecture.network, architecture.inputs)


def _convert(network: fx.GraphModule, inputs: tuple[Tensor, ...]) -> _Converted:
    os.environ.setdefault("LITERT_TORCH_SHOW_PROGRESS", "n")
    example = tuple(torch.from_numpy(array) for array in constant_inputs(inputs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # both packages use what torch deprecates
        import litert_torch

        content = litert_torch.convert(network, example).model_content()
    model = read_tflite(content)
    layers, folded = _layers(model, network)
    model.name_tensors(layers)
    return _Converted(model.content(), layers, folded, _other_values(network, set(layers.values())))


def _other_values(network: nn.Module, layers: set[str]) -> dict[str, torch.Tensor]:
    """Return the values of a network that are no weights or biases of these layers."""
    return {
        name: value.clone()
        for name, value in network.state_dict().items()
        if name.rpartition(".")[0] not in layers
    }


def _layers(model: TfliteModel, network: fx.GraphModule) -> tuple[dict[int, str], dict[int, _Folded]]:
    """Return which operators compute which modules, found by their weights, and what is folded into them.

    A module may run several times: these operators share its weights. Of modules with the same values, the
    first operator computes the first.
    """
    waiting = list(weighted(network))
    layers: dict[int, str] = {}
    folded: dict[int, _Folded] = {}
    by_weight: dict[int, str] = {}
    for position in model.layers():
        weight = model.inputs(position)[1]
        for name in [by_weight[weight]] if weight in by_weight else waiting:
            found = _folded(model, position, network.get_submodule(name))
            if found is not None:
                layers[position], folded[position] = name, found
                by_weight[weight] = name
                break
        if layers.get(position) in waiting:
            waiting.remove(layers[position])
    return layers, folded


def _folded(model: TfliteModel, position: int, module: nn.Module) -> _Folded | None:
    """Return how an operator's values are a module's; None if it does not compute the module.

    A bias of zeros may be left out.
    """
    weight, bias = _weight_of(module), _bias_of(module)
    own, stored = model.weight(position), model.bias(position)
    own_bias = np.zeros_like(bias) if stored is None else stored
    if own.shape != weight.shape or own.dtype != weight.dtype:
        return None
    if np.array_equal(own, weight) and np.array_equal(own_bias, bias):
        return _Folded()
    largest = np.unravel_index(np.abs(weight).argmax(), weight.shape)
    if not weight[largest] or not own[largest]:
        return None
    factor = float(own[largest] / weight[largest])
    offsets = own_bias - factor * bias
    offset = float(offsets[0])
    is_scaled = np.allclose(own, factor * weight, rtol=_ROUNDING, atol=_ROUNDING * abs(own[largest]))
    is_moved = np.allclose(offsets, offset, rtol=0, atol=_ROUNDING * max(1.0, float(np.abs(own_bias).max())))
    return _Folded(factor, offset) if is_scaled and is_moved else None


def _weight_of(module: nn.Module) -> Values:
    """Return a layer's weights as LiteRT stores them: channels last, or for depthwise ones alone."""
    weight = module.get_parameter("weight").detach()
    if isinstance(module, nn.Conv2d):
        is_depthwise = module.groups == module.in_channels and module.groups > 1
        weight = weight.permute(1, 2, 3, 0) if is_depthwise else weight.permute(0, 2, 3, 1)
    return np.ascontiguousarray(weight.numpy())


def _bias_of(module: nn.Module) -> Values:
    return np.asarray(module.get_parameter("bias").detach().numpy())


def _put_weights(model: TfliteModel, converted: _Converted, network: nn.Module) -> None:
    """Give each operator the weights of its module, with what is folded into them."""
    for position, name in converted.layers.items():
        module, folded = network.get_submodule(name), converted.folded[position]
        model.put(model.inputs(position)[1], _weight_of(module) * np.float32(folded.factor))
        bias = _bias_of(module) * np.float32(folded.factor) + np.float32(folded.offset)
        if model.bias(position) is not None or bias.any():
            model.put_bias(position, bias)


def _halve_weights(model: TfliteModel, layers: Mapping[int, str], halving: Halving) -> None:
    """Store weights in half precision, each behind a DEQUANTIZE that the runtime computes at load."""
    halves = {}
    for position in model.layers():
        weight = model.weight_as_torch(position)
        if weight.dtype == np.float32 and is_stored_in_half(weight.shape):
            values = halving.half(layers.get(position, model.name(position)), weight)
            if values is not None:
                halves[position] = values
    model.halve(halves)
