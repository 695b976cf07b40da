"""OpenVINO IR on OpenVINO. It knows OpenVINO's options, and nothing of precisions or of measuring."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino

from bench.errors import MissingRuntimeError
from bench.measurements import Executed
from bench.runtimes.executed_openvino import executed_by
from bench.runtimes.protocol import LoadOptions


class OpenvinoSession:
    """A compiled model and its one inference request."""

    def __init__(self, compiled: openvino.CompiledModel) -> None:
        self._compiled = compiled
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

    def close(self) -> None:
        """Release the request and the model."""
        del self._request, self._compiled


def load(entry: Path, options: LoadOptions) -> OpenvinoSession:
    """Compile a model for the one device asked for.

    INFERENCE_PRECISION_HINT is always set: without it OpenVINO runs an fp32 model in half precision on
    CPUs that can (seen on Cortex-A76), and the label would not be what ran. There fp16 is computed in half.
    """
    core = openvino.Core()
    if options.provider not in core.available_devices:
        raise MissingRuntimeError(f"OpenVINO finds no device {options.provider} here; choose another profile")
    in_half = options.half and "FP16" in core.get_property(options.provider, "OPTIMIZATION_CAPABILITIES")
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": str(options.threads),
        "INFERENCE_PRECISION_HINT": "f16" if in_half else "f32",
    }
    return OpenvinoSession(core.compile_model(str(entry), options.provider, settings))


def version() -> str:
    """Return the runtime's name and version."""
    return f"openvino {openvino.__version__.partition('-')[0]}"
