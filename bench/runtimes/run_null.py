"""The null runtime: it does nothing, and so measures the harness itself and the baseline of memory."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.measurements import Executed
from bench.runtimes.protocol import LoadOptions


class NullSession:
    """Returns zeros for two classes."""

    def __init__(self) -> None:
        self._logits = np.zeros((1, 2), dtype=np.float32)

    def infer(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:  # noqa: ARG002 - the protocol's
        """Return zeros [1, 2]."""
        return self._logits

    def executed(self, batch: npt.NDArray[np.float32]) -> Executed:  # noqa: ARG002 - the protocol's
        """Return that nothing ran."""
        return Executed(source="nothing ran", operators=(), casts=0, quantise=0, dequantise=0)

    def device_bytes(self) -> int | None:
        """Return that it uses no accelerator."""
        return None

    def close(self) -> None:
        """Hold nothing, release nothing."""


def load(entry: Path, options: LoadOptions) -> NullSession:  # noqa: ARG001 - the protocol's arguments
    """Load nothing."""
    return NullSession()


def version() -> str:
    """Return the runtime's name and version."""
    return "null 1"
