"""OpenVINO IR by openvino.convert_model, quantised by NNCF. It knows their options, not verifying."""

import logging
import warnings
from functools import lru_cache

import nncf
import numpy as np
import openvino
import torch
from nncf.quantization.advanced_parameters import OverflowFix
from nncf.quantization.range_estimator import RangeEstimatorParametersSet
from openvino import opset13
from torch import nn

from bench.evaluation_pack import as_batch
from bench.machine.cpu_class import FULL_LEVEL, SAFE_LEVEL
from bench.quantisation import RangeMethod
from bench.variants import Precision
from export.exporter import INPUT, OUTPUT, STEM, Exported, ExportRequest
from export.half_precision import METHOD as HALF_METHOD
from export.half_precision import is_stored_in_half

_WEIGHTED = ("Convolution", "GroupConvolution", "MatMul")
_INT8_METHOD = "NNCF post-training, mixed preset, int8 weights of ±{level} per channel"


_ESTIMATORS = {
    RangeMethod.MIN_MAX: RangeEstimatorParametersSet.MINMAX,
    RangeMethod.HISTOGRAM: RangeEstimatorParametersSet.HISTOGRAM,
}


def export(request: ExportRequest) -> Exported:
    """Write `model.xml` and `model.bin`: static shapes, batch 1, input `image`, output `logits`."""
    model = _float_model(request.network, request.image_size).clone()
    match request.precision:
        case Precision.FP32:
            return _save(model, request)
        case Precision.FP16:
            _halve_weights(model)
            return _save(model, request, HALF_METHOD)
        case Precision.INT8:
            return _quantise(model, request)


@lru_cache(maxsize=1)
def _float_model(network: nn.Module, image_size: int) -> openvino.Model:
    shape = [1, 3, image_size, image_size]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit.trace, which convert_model uses, is deprecated
        model = openvino.convert_model(network, example_input=torch.zeros(shape), input=shape)
    model.input(0).tensor.set_names({INPUT})
    model.output(0).tensor.set_names({OUTPUT})
    return model


def _save(
    model: openvino.Model,
    request: ExportRequest,
    method: str | None = None,
    left_in_float: tuple[str, ...] = (),
) -> Exported:
    """Write the model as it is: OpenVINO's own compression would halve every float constant."""
    entry = request.folder / f"{STEM}.xml"
    openvino.save_model(model, str(entry), compress_to_fp16=False)
    quantiser = f", nncf {nncf.__version__}" if request.precision is Precision.INT8 else ""
    return Exported(
        entry=entry,
        producer=f"openvino {openvino.__version__}{quantiser}",
        method=method,
        left_in_float=left_in_float,
    )


def _halve_weights(model: openvino.Model) -> None:
    """Store weights in half, each behind a Convert to float that is folded when the model is compiled."""
    for constant in model.get_ops():
        if constant.get_type_name() != "Constant" or constant.get_element_type() != openvino.Type.f32:
            continue
        if is_stored_in_half(list(constant.shape)):
            consumers = constant.output(0).get_target_inputs()
            half = opset13.constant(
                constant.data.astype(np.float16), name=f"{constant.get_friendly_name()}_half"
            )
            converted = opset13.convert(half, "f32")
            for consumer in consumers:
                consumer.replace_source_output(converted.output(0))


def _quantise(model: openvino.Model, request: ExportRequest) -> Exported:
    nncf.set_log_level(logging.ERROR)
    if request.recipe.library_default:
        return _quantise_by_default(model, request)
    modules = request.recipe.left_in_float
    quantised = nncf.quantize(
        model,
        nncf.Dataset(request.calibration, as_batch),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(request.calibration),
        fast_bias_correction=True,
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            overflow_fix=OverflowFix.DISABLE,
            disable_bias_correction=request.recipe.corrected,
            activations_range_estimator_params=_ESTIMATORS[request.recipe.ranges],
        ),
        ignored_scope=nncf.IgnoredScope(names=_operators_of(model, modules)),
    )
    if request.weight_level != FULL_LEVEL:
        _limit_weights(quantised, request.weight_level)
    bias = "" if request.recipe.corrected else ", fast bias correction"
    method = f"{_INT8_METHOD.format(level=request.weight_level)}{bias}, {request.recipe.words}"
    return _save(quantised, request, method, modules)


def _quantise_by_default(model: openvino.Model, request: ExportRequest) -> Exported:
    """Quantise with NNCF's defaults, and its own remedy for every layer where sums would saturate."""
    fix = OverflowFix.ENABLE if request.weight_level == SAFE_LEVEL else None
    quantised = nncf.quantize(
        model,
        nncf.Dataset(request.calibration, as_batch),
        subset_size=len(request.calibration),
        advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
    )
    return _save(quantised, request, f"NNCF post-training, {request.recipe.words}")


def _limit_weights(model: openvino.Model, level: int) -> None:
    """Put int8 weights, which NNCF has spread over ±127 an output channel, on the grid of ±`level`.

    A weight that lay on that grid before is the nearest there again. NNCF's own OverflowFix.ENABLE has a grid
    whose end is no level (±63.5), and rounds every weight once more.
    """
    for constant in model.get_ops():
        if constant.get_type_name() != "Constant" or constant.get_element_type() != openvino.Type.i8:
            continue
        convert = next(iter(constant.output(0).get_target_inputs())).get_node()
        multiply = next(iter(convert.output(0).get_target_inputs())).get_node()
        scale = multiply.input_value(1)
        ratio = level / FULL_LEVEL
        weights = np.round(constant.data.astype(np.float32) * ratio).astype(np.int8)
        constant.output(0).replace(opset13.constant(weights).output(0))
        wider = opset13.constant((scale.get_node().data / ratio).astype(np.float32))
        multiply.input(1).replace_source_output(wider.output(0))


def _operators_of(model: openvino.Model, modules: tuple[str, ...]) -> list[str]:
    """Return the names of the operators that compute these modules."""
    names = [one.get_friendly_name() for one in model.get_ops() if one.get_type_name() in _WEIGHTED]
    found = [name for module in modules for name in names if name.startswith(f"__module.{module}/")]
    if len(found) != len(modules):
        raise LookupError(f"the OpenVINO model has no operator for each of {', '.join(modules)}")
    return found
