"""OpenVINO IR on OpenVINO. It knows OpenVINO's options and devices, and nothing of measuring."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino

from bench.bundle.variants import Precision
from bench.errors import FellBackError, MissingRuntimeError
from bench.measurements import Executed
from bench.runtimes.executed_openvino import executed_by
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.providers import place_of

_GPU = "gpu"


class OpenvinoSession:
    """A compiled model and its one inference request."""

    def __init__(self, core: openvino.Core, compiled: openvino.CompiledModel, device: str) -> None:
        self._core, self._compiled, self._device = core, compiled, device
        self._request = compiled.create_infer_request()

    def infer(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return logits [1, classes]; the input is copied in and the answer copied out."""
        # The request's own infer(inputs) would do the same copy behind a slower dispatch.
        np.copyto(self._request.get_input_tensor(0).data, batch)
        self._request.infer()
        logits: npt.NDArray[np.float32] = self._request.get_output_tensor(0).data.copy()
        return logits

    def executed(self, batch: npt.NDArray[np.float32]) -> Executed:  # noqa: ARG002 - the protocol's
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
    compiled = core.compile_model(str(entry), device, settings)
    ran_on = list(compiled.get_property("EXECUTION_DEVICES"))
    if not all(_is(device, name) for name in ran_on):
        raise FellBackError(f"OpenVINO was requested to run on {device}, but runs on {', '.join(ran_on)}")
    return OpenvinoSession(core, compiled, device)


def _is(requested: str, name: str) -> bool:
    """Return whether a device has the requested name. `GPU` is named `GPU.0` if there are two."""
    return name == requested or name.startswith(f"{requested}.")


def version() -> str:
    """Return the runtime's name and version."""
    return f"openvino {openvino.__version__.partition('-')[0]}"
