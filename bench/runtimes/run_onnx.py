"""ONNX on onnxruntime. It knows onnxruntime's options, and nothing of precisions or of measuring."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from bench.errors import MissingRuntimeError
from bench.runtimes.protocol import LoadOptions

_ERRORS_ONLY = 3


class OnnxSession:
    """An onnxruntime session on one execution provider."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def infer(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return logits [1, classes]."""
        logits: npt.NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return logits

    def close(self) -> None:
        """Release the session."""
        del self._session


def load(entry: Path, options: LoadOptions) -> OnnxSession:
    """Load a model on the one provider asked for; another provider is never put in its place."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _ERRORS_ONLY
    if options.provider not in onnxruntime.get_available_providers():
        raise MissingRuntimeError(f"this onnxruntime has no {options.provider}; choose another profile")
    session = onnxruntime.InferenceSession(str(entry), settings, providers=[options.provider])
    ran_on = session.get_providers()[0]
    if ran_on != options.provider:
        raise MissingRuntimeError(f"{options.provider} could not be used: onnxruntime fell back to {ran_on}")
    return OnnxSession(session)


def version() -> str:
    """Return the runtime's name and version."""
    return f"onnxruntime {onnxruntime.__version__}"
