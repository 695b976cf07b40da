"""OpenVINO IR by openvino.convert_model, quantised by NNCF. It knows their options, not verifying."""

import logging
import warnings
from functools import lru_cache

import nncf
import numpy as np
import openvino
import torch
from openvino import opset13
from torch import nn

from bench.evaluation_pack import as_batch
from bench.variants import Precision
from export.exporter import INPUT, OUTPUT, STEM, Exported, ExportRequest
from export.float_prefix import first_convolutions
from export.half_precision import METHOD as HALF_METHOD
from export.half_precision import is_stored_in_half

# As in to_onnx. With fast bias correction agreement was 0.963 with none in float, 0.912 with two, 0.987 with
# three; on a second network 0.955 with two and 1.000 with three. Exact bias correction took 2 to 5 times as
# long, and with three in float gave 0.974 and 0.995.
_CONVOLUTIONS_IN_FLOAT = 3
_INT8_METHOD = "NNCF post-training, fast bias correction, mixed preset, int8 weights per channel"


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
    quantiser = f", nncf {nncf.__version__}" if left_in_float else ""
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
    modules = first_convolutions(request.network, _CONVOLUTIONS_IN_FLOAT)
    nncf.set_log_level(logging.ERROR)
    quantised = nncf.quantize(
        model,
        nncf.Dataset(request.calibration, as_batch),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(request.calibration),
        fast_bias_correction=True,
        ignored_scope=nncf.IgnoredScope(names=_operators_of(model, modules)),
    )
    return _save(quantised, request, _INT8_METHOD, modules)


def _operators_of(model: openvino.Model, modules: tuple[str, ...]) -> list[str]:
    """Return the names of the convolutions that compute these modules."""
    names = [one.get_friendly_name() for one in model.get_ops() if "Convolution" in one.get_type_name()]
    found = [name for module in modules for name in names if name.startswith(f"__module.{module}/")]
    if len(found) != len(modules):
        raise LookupError(f"the OpenVINO model has no operator for each of {', '.join(modules)}")
    return found
