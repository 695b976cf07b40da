"""ONNX on onnxruntime. It knows onnxruntime's options, and nothing of precisions or of measuring."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from bench.errors import MissingRuntimeError
from bench.measurements import Executed
from bench.runtimes.executed_onnx import executed_by
from bench.runtimes.protocol import LoadOptions

_ERRORS_ONLY = 3


class OnnxSession:
    """An onnxruntime session on one execution provider."""

    def __init__(self, entry: Path, options: LoadOptions) -> None:
        self._entry, self._options = entry, options
        self._session = _open(entry, options, profiled=False)
        self._input = self._session.get_inputs()[0].name

    def infer(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return logits [1, classes]."""
        logits: npt.NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
        return logits

    def executed(self, batch: npt.NDArray[np.float32]) -> Executed:
        """Profile one inference of a second session: profiling cannot be had of the one that is timed."""
        twin = _open(self._entry, self._options, profiled=True)
        twin.run(None, {self._input: batch})
        profile = Path(twin.end_profiling())
        try:
            return executed_by(profile)
        finally:
            profile.unlink()

    def close(self) -> None:
        """Release the session."""
        del self._session


def load(entry: Path, options: LoadOptions) -> OnnxSession:
    """Load a model on the one provider asked for; another provider is never put in its place."""
    if options.provider not in onnxruntime.get_available_providers():
        raise MissingRuntimeError(f"this onnxruntime has no {options.provider}; choose another profile")
    return OnnxSession(entry, options)


def _open(entry: Path, options: LoadOptions, profiled: bool) -> onnxruntime.InferenceSession:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = _ERRORS_ONLY
    settings.enable_profiling = profiled
    if profiled:
        # Weights packed for the kernels are no inputs any more, and their shapes would be missing.
        settings.add_session_config_entry("session.disable_prepacking", "1")
    session = onnxruntime.InferenceSession(str(entry), settings, providers=[options.provider])
    ran_on = session.get_providers()[0]
    if ran_on != options.provider:
        raise MissingRuntimeError(f"{options.provider} could not be used: onnxruntime fell back to {ran_on}")
    return session


def version() -> str:
    """Return the runtime's name and version."""
    return f"onnxruntime {onnxruntime.__version__}"
