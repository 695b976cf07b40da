"""Quantises a LiteRT model with ai-edge-quantizer: which operators, with which ranges, with whose weights.

The recipe decides, and not the quantiser: it is told each operator by its name, is given the ranges, and its
weights are replaced by those of the recipe, which lie on the int8 grid already.
"""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from importlib import metadata

import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from ai_edge_quantizer import qtyping, quantizer
from torch.ao.quantization import HistogramObserver, MinMaxObserver

from bench.bundle.recipe import RangeMethod
from export.exporter import MOST_FOR_HISTOGRAMS, ExportRequest, pools_an_image
from export.quantisation.rounding import scale_of
from export.quantisation.simulation import Range, layers_that_run_once, output_of
from export.quantisation.sums import Kind, Step, sums_in_float
from export.tflite_model import LAYERS, TfliteModel, Values, read_tflite

_METHOD = "ai-edge-quantizer static, int8 activations, int8 weights of ±{level} per channel"
# What moves or joins values without computing with them: in int8 so that no value is converted twice, and so
# that no infinite value that pads is: LiteRT's own kernel makes the largest int8 of the smallest float.
_MOVES = (
    *("PAD", "PADV2", "MIRROR_PAD", "TRANSPOSE", "RESHAPE", "CONCATENATION", "SLICE", "STRIDED_SLICE"),
    *("SPLIT", "PACK", "UNPACK", "MAX_POOL_2D", "GATHER", "RELU"),
)
# Those of one tensor, which give it the range of what they read.
_MOVES_OF_ONE = ("PAD", "PADV2", "TRANSPOSE", "RESHAPE", "MAX_POOL_2D")
_POOLS = ("AVERAGE_POOL_2D",)
_KINDS = {"FULLY_CONNECTED": Kind.MATRIX, "ADD": Kind.SUM}
_OBSERVERS: dict[RangeMethod, type[MinMaxObserver | HistogramObserver]] = {
    RangeMethod.MIN_MAX: MinMaxObserver,
    RangeMethod.HISTOGRAM: HistogramObserver,
}
_FLOAT = np.float32
# The quantiser's own grid. No kernel of LiteRT saturates with it.
_QUANTISERS_LEVEL = 127
_CHANNELS_LAST = (1, 2)


@dataclass(frozen=True)
class Quantised:
    """A quantised model."""

    model: TfliteModel
    """The model."""
    method: str
    """How it was quantised."""
    excluded_modules: tuple[str, ...] = ()
    """The modules that stay in fp32."""


def version_of_quantiser() -> str:
    """Return the quantiser's name and version."""
    return f"ai-edge-quantizer {metadata.version('ai-edge-quantizer')}"


def quantised(
    model: TfliteModel, layers: Mapping[int, str], changed: Set[int], request: ExportRequest
) -> Quantised:
    """Return a float model as the recipe quantises it.

    `layers`: which operators are which modules. `changed`: those of them whose values differ from the
    module's, because the converter put what follows into the weights.
    """
    content = model.content()
    recipe, excluded = request.recipe, request.recipe.excluded_modules
    if missing := set(excluded) - set(layers.values()):
        raise LookupError(f"the LiteRT model has no operator for {', '.join(sorted(missing))}")
    if recipe.library_default:
        names = [(model.name(position), model.kind(position)) for position in range(len(model))]
        made = _quantise(content, names, _ranges(content, request))
        return Quantised(made, f"ai-edge-quantizer static, {recipe.description}")
    in_float = {position for position, name in layers.items() if name in excluded}
    last = _last_products(model)
    positions = in_int8(model, in_float | last)
    names = [(model.name(position), model.kind(position)) for position in positions]
    in_flight = [model.name(position) for position in sorted(last - in_float)]
    unchanged = {position: name for position, name in layers.items() if position not in changed}
    ranges = _ranges(content, request) | _known_ranges(model, unchanged, request)
    made = _quantise(content, names, ranges, in_flight)
    if recipe.corrected:
        _put_levels(made, model, layers, request)
    level = request.weight_level if recipe.corrected else _QUANTISERS_LEVEL
    method = f"{_METHOD.format(level=level)}, {recipe.description}"
    return Quantised(made, method, excluded)


def in_int8(model: TfliteModel, excluded: Set[int] = frozenset()) -> list[int]:
    """Return the operators that int8 computes, without the excluded ones: as in every other format."""
    in_float = _sums_in_float(model) | excluded
    computed = {
        position
        for position in range(len(model))
        if position not in in_float
        and (
            model.kind(position) in (*LAYERS, *_POOLS, "ADD")
            or (model.kind(position) == "MEAN" and _pools(model, position))
        )
    }
    return sorted(computed | _moved_in_int8(model, computed))


def _moved_in_int8(model: TfliteModel, computed: Set[int]) -> set[int]:
    """Return the operators that move what others compute in int8. Between two in float, a move is in float:
    rounded to int8 and back, its values would lose precision and win nothing."""
    waiting = {position for position in range(len(model)) if model.kind(position) in _MOVES}
    tensors = {index for position in computed for index in _ends(model, position)}
    moved: set[int] = set()
    while found := {position for position in waiting if tensors & _ends(model, position)}:
        moved |= found
        waiting -= found
        tensors |= {index for position in found for index in _ends(model, position)}
    return moved


def _ends(model: TfliteModel, position: int) -> set[int]:
    """Return the tensors that an operator reads and gives, but for constants."""
    ends = {*model.inputs(position), *model.outputs(position)}
    return {index for index in ends if index >= 0 and model.values(index) is None}


def _sums_in_float(model: TfliteModel) -> set[int]:
    """Return the sums that stay in fp32; see sums.py."""
    steps = [Step(str(index), Kind.INPUT, ()) for index in model.graph.inputs]
    weighted = set(model.layers())
    for position in range(len(model)):
        kind = _KINDS.get(model.kind(position), Kind.OTHER)
        if position in weighted and kind is Kind.OTHER:
            kind = Kind.CONVOLUTION
        elif position not in weighted and kind is Kind.MATRIX:
            kind = Kind.OTHER
        inputs = model.inputs(position)[:1] if position in weighted else model.inputs(position)
        steps += [Step(str(index), kind, tuple(map(str, inputs))) for index in model.outputs(position)]
    in_float = sums_in_float(steps)
    return {
        position
        for position in range(len(model))
        if any(str(index) in in_float for index in model.outputs(position))
    }


def _pools(model: TfliteModel, position: int) -> bool:
    """Whether a mean pools an image; LiteRT has channels last."""
    axes = model.values(model.inputs(position)[1])
    listed = [] if axes is None else sorted(int(axis) for axis in np.atleast_1d(axes))
    return listed == list(_CHANNELS_LAST) or pools_an_image(listed)


def _last_products(model: TfliteModel) -> set[int]:
    """Return the linear layers whose values are the model's outputs.

    They read and give floats, and have weights in int8: what they read is rounded in each inference anew.
    Else scores beyond those of calibration would be clipped.
    """
    outputs = {int(index) for index in model.graph.outputs}
    for position in reversed(range(len(model))):
        if model.kind(position) in _MOVES_OF_ONE and outputs & set(model.outputs(position)):
            outputs.add(model.inputs(position)[0])
    layers = [position for position in model.layers() if not model.is_convolution(position)]
    return {position for position in layers if outputs & set(model.outputs(position))}


def _quantise(
    content: bytes, names: list[tuple[str, str]], ranges: Mapping[str, Range], in_flight: Sequence[str] = ()
) -> TfliteModel:
    """Quantise these operators, each with its kind, by the ranges of their tensors.

    `in_flight`: the linear layers that have weights in int8 alone.
    """
    made = quantizer.Quantizer(bytearray(content))
    for name in in_flight:
        made.add_dynamic_config(f"^{re.escape(name)};", qtyping.TFLOperationName.FULLY_CONNECTED, num_bits=8)
    for name, kind in names:
        made.add_static_config(
            f"^{re.escape(name)};", qtyping.TFLOperationName(kind), activation_num_bits=8, weight_num_bits=8
        )
    found = {
        name: {"min": np.full((1, 1), each.low, _FLOAT), "max": np.full((1, 1), each.high, _FLOAT)}
        for name, each in ranges.items()
    }
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that its interpreter keeps tensors in memory
        result = made.quantize(found, enable_progress_bar=False, enable_progress_report=False)
    return read_tflite(bytes(result.quantized_model))


def _ranges(content: bytes, request: ExportRequest) -> dict[str, Range]:
    """Return the range of every float tensor that is no constant, by its name."""
    method = RangeMethod.MIN_MAX if request.recipe.library_default else request.recipe.ranges
    inputs = request.calibration
    if method is RangeMethod.HISTOGRAM:
        inputs = inputs.first(MOST_FOR_HISTOGRAMS)
    interpreter = _observed(content)
    places = [each["index"] for each in interpreter.get_input_details()]
    tensors = dict(_computed(interpreter, read_tflite(content)))
    observers = {index: _OBSERVERS[method](qscheme=torch.per_tensor_affine) for index in tensors}
    for arrays in inputs:
        for place, values in zip(places, arrays, strict=True):
            interpreter.set_tensor(place, values)
        interpreter.invoke()
        for index, observer in observers.items():
            values = interpreter.get_tensor(index)
            # What pads an image before its maxima are taken is infinite; int8 has its lowest level instead.
            observer(torch.from_numpy(values[np.isfinite(values)]))
    return {tensors[index]: _range(observer) for index, observer in observers.items()}


def _known_ranges(model: TfliteModel, layers: Mapping[int, str], request: ExportRequest) -> dict[str, Range]:
    """Return the ranges that the weights were corrected for, of what layers read and give, by tensor name.

    Other ranges would round other values up, so that means shift which the correction had restored.
    """
    nodes = layers_that_run_once(request.network) if request.ranges else {}
    once = {position: nodes[name] for position, name in layers.items() if name in nodes}
    known = {
        model.outputs(position)[0]: output_of(request.network, node).name for position, node in once.items()
    }
    given = {index: position for position in range(len(model)) for index in model.outputs(position)}
    for position, node in once.items():
        chain = [model.inputs(position)[0]]
        while chain[-1] in given and model.kind(given[chain[-1]]) in _MOVES_OF_ONE:
            chain.append(model.inputs(given[chain[-1]])[0])
        known |= dict.fromkeys(chain, known.get(chain[-1], node.all_input_nodes[0].name))
    return {
        str(model.tensor(index).name.decode()): request.ranges[node]
        for index, node in known.items()
        if node in request.ranges
    }


def _observed(content: bytes) -> Interpreter:
    """Return an interpreter that keeps every tensor; XNNPACK would not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this takes memory
        interpreter = Interpreter(
            model_content=content,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
    interpreter.allocate_tensors()
    return interpreter


def _computed(interpreter: Interpreter, model: TfliteModel) -> Iterator[tuple[int, str]]:
    """Yield number and name of the floats that an inference computes, or is given."""
    given = {index for position in range(len(model)) for index in model.outputs(position)}
    given |= {int(index) for index in model.graph.inputs}
    for each in interpreter.get_tensor_details():
        if each["index"] in given and each["dtype"] is _FLOAT:
            yield each["index"], each["name"]


def _range(observer: MinMaxObserver | HistogramObserver) -> Range:
    """Return what an observer found. A histogram leaves out values that are rare and large."""
    if isinstance(observer, HistogramObserver):
        low, high = observer._non_linear_param_search()
        return Range(float(low), float(high))
    return Range(float(observer.min_val), float(observer.max_val))


def _put_levels(
    made: TfliteModel, model: TfliteModel, layers: Mapping[int, str], request: ExportRequest
) -> None:
    """Replace the quantiser's weights and biases by the recipe's own, on their grid of ±`weight_level`."""
    for position, own in zip(model.layers(), made.layers(), strict=True):
        weight = made.tensor(made.inputs(own)[1])
        if position not in layers or made.weight(own).dtype != np.int8:
            continue
        as_torch = torch.from_numpy(np.array(model.weight_as_torch(position)))
        scale = scale_of(as_torch, request.weight_level).numpy()
        axis = int(weight.quantization.quantizedDimension)
        shape = [-1 if index == axis else 1 for index in range(model.weight(position).ndim)]
        levels = np.round(model.weight(position) / scale.reshape(shape))
        made.put(made.inputs(own)[1], levels.astype(np.int8))
        weight.quantization.scale = scale
        _put_bias(made, own, model.bias(position), scale)


def _put_bias(made: TfliteModel, position: int, bias: Values | None, scale: Values) -> None:
    """Round a bias to the steps of what it is added to: those of the input times those of the weights.

    One that is added to floats stays as it is.
    """
    stored = made.bias(position)
    if bias is None or (stored is not None and stored.dtype == _FLOAT):
        return
    taken, index = made.tensor(made.inputs(position)[0]), made.inputs(position)[2]
    steps = np.float64(taken.quantization.scale[0]) * scale.astype(np.float64)
    limits = np.iinfo(np.int32)
    made.put(index, np.clip(np.round(bias / steps), limits.min, limits.max).astype(np.int32))
    made.tensor(index).quantization.scale = steps.astype(_FLOAT)
