"""OpenVINO IR on OpenVINO. It knows OpenVINO's options and devices, and nothing of measuring."""

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino

from bench.bundle.model_graph import ModelGraph
from bench.bundle.signature import Inputs, ModelDescription, Outputs, Signature, Tensor
from bench.bundle.variants import Precision
from bench.errors import FellBackError, MissingRuntimeError
from bench.measurements import Executed
from bench.runtimes.executed_openvino import executed_by
from bench.runtimes.graph_openvino import graph_of
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.providers import place_of

_GPU = "gpu"


class OpenvinoSession:
    """A compiled model and its one inference request."""

    def __init__(self, core: openvino.Core, compiled: openvino.CompiledModel, device: str) -> None:
        self._core, self._compiled, self._device = core, compiled, device
        self._request = compiled.create_infer_request()
        self._outputs = range(len(compiled.outputs))
        self._is_recurrent = bool(self._request.query_state())

    def infer(self, inputs: Inputs) -> Outputs:
        """Return every output; the inputs are copied in and the outputs copied out.

        Each inference begins anew: a recurrent network forgets the one before.
        """
        # The request's own infer(inputs) would do the same copy behind a slower dispatch.
        request = self._request
        if self._is_recurrent:
            request.reset_state()
        for index, values in enumerate(inputs):
            np.copyto(request.get_input_tensor(index).data, values)
        request.infer()
        return [request.get_output_tensor(index).data.copy() for index in self._outputs]

    def executed(self, inputs: Inputs) -> Executed:  # noqa: ARG002 - the protocol's
        """Read the runtime model."""
        return executed_by(self._compiled)

    def device_bytes(self) -> int | None:
        """Return what OpenVINO says it has allocated on a GPU."""
        if place_of(self._device) != _GPU:
            return None
        return int(sum(self._core.get_property(self._device, "GPU_MEMORY_STATISTICS").values()))

    def close(self) -> None:
        """Release the request and the model."""
        del self._request, self._compiled


def load(entry: Path, options: LoadOptions) -> OpenvinoSession:
    """Compile a model for the requested device.

    INFERENCE_PRECISION_HINT is always set: without it OpenVINO runs an fp32 model in half precision on
    CPUs that can (seen on Cortex-A76), and the label would not be what ran. There fp16 is computed in half.
    """
    core, device = openvino.Core(), options.config.provider
    if not any(_is(device, name) for name in core.available_devices):
        raise MissingRuntimeError(f"OpenVINO finds no device {device} on this machine")
    in_half = options.precision is Precision.FP16 and "FP16" in core.get_property(
        device, "OPTIMIZATION_CAPABILITIES"
    )
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_PRECISION_HINT": "f16" if in_half else "f32",
    }
    if options.exact:
        settings["LP_TRANSFORMS_MODE"] = "NO"  # or float operators between FakeQuantize become int8
    if place_of(device) != _GPU:  # a GPU has no threads, and refuses the option
        settings["INFERENCE_NUM_THREADS"] = str(options.config.threads)
    model: str | openvino.Model = str(entry)
    if options.inputs:
        model = _reshaped(core.read_model(str(entry)), options.inputs)
    compiled = core.compile_model(model, device, settings)
    ran_on = list(compiled.get_property("EXECUTION_DEVICES"))
    if not all(_is(device, name) for name in ran_on):
        raise FellBackError(f"OpenVINO was requested to run on {device}, but runs on {', '.join(ran_on)}")
    return OpenvinoSession(core, compiled, device)


def _reshaped(model: openvino.Model, inputs: Sequence[Tensor]) -> openvino.Model:
    model.reshape({index: list(tensor.sizes) for index, tensor in enumerate(inputs)})
    return model


def _is(requested: str, name: str) -> bool:
    """Return whether a device has the requested name. `GPU` is named `GPU.0` if there are two."""
    return name == requested or name.startswith(f"{requested}.")


def describe(entry: Path) -> ModelDescription:
    """Read the model without compiling it."""
    model = openvino.Core().read_model(str(entry))
    return ModelDescription(
        signature=Signature(
            inputs=tuple(_tensor(port, f"input_{index}") for index, port in enumerate(model.inputs)),
            outputs=tuple(_tensor(port, f"output_{index}") for index, port in enumerate(model.outputs)),
        ),
        precision=_precision(model),
    )


def read_graph(entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:
    """Read the file's graph; its multiply-accumulates follow from the shapes of these inputs."""
    model = openvino.Core().read_model(str(entry))
    if inputs:
        model = _reshaped(model, inputs)
    return graph_of(model, _precision(model), with_macs=inputs is not None)


# OpenVINO's names of element types that are numpy's under another name.
_DTYPES = {"f32": "float32", "f64": "float64", "f16": "float16", "boolean": "bool", "string": "str"}
_DTYPES |= {
    f"{sign}{bits}": f"{kind}{bits}"
    for sign, kind in (("i", "int"), ("u", "uint"))
    for bits in (8, 16, 32, 64)
}


def _tensor(port: openvino.Output, unnamed: str) -> Tensor:
    dtype, rank = port.get_element_type().get_type_name(), port.get_partial_shape()
    shape = None
    if not rank.rank.is_dynamic:
        shape = tuple("?" if axis.is_dynamic else int(axis.get_length()) for axis in rank)
    names = sorted(port.get_names())
    return Tensor(name=names[0] if names else unnamed, dtype=_DTYPES.get(dtype, dtype), shape=shape)


def _precision(model: openvino.Model) -> Precision:
    """Return the precision by the graph: FakeQuantize makes it int8, most weights in half make it fp16."""
    elements: Counter[str] = Counter()
    for node in model.get_ops():
        kind = node.get_type_name()
        if kind == "FakeQuantize":
            return Precision.INT8
        if kind == "Constant":
            elements[node.get_element_type().get_type_name()] += math.prod(node.get_output_shape(0))
    if elements["i8"] + elements["u8"] > elements["f32"] + elements["f16"]:
        return Precision.INT8
    return Precision.FP16 if elements["f16"] > elements["f32"] else Precision.FP32


def version() -> str:
    """Return the runtime's name and version."""
    return f"openvino {openvino.__version__.partition('-')[0]}"
