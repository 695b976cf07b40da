"""The interface of a runtime. It knows no format; each `run_*.py` module is a Runtime."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from bench.bundle.variants import Precision
from bench.measurements import Executed
from bench.run_config import RunConfig


@dataclass(frozen=True)
class LoadOptions:
    """How to load an artifact."""

    config: RunConfig
    """The options of the run, and the provider."""
    precision: Precision | None = None
    """The artifact's precision; None for controls. fp16 is computed in half where the device can."""
    engine: str | None = None
    """The engine that a TorchScript file was made for; see ArtifactRecord."""
    foreign_engine: bool = False
    """Whether an engine for other CPUs may be tried: to verify its file, or as a proxy for such a CPU."""
    exact: bool = False
    """Whether to compute int8 with sums that do not saturate: slow, and never timed."""


class Session(Protocol):
    """A loaded artifact, ready to run."""

    def infer(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return logits [1, classes] for a batch [1, 3, side, side] in [0, 1].

        This is the whole timed region. It returns when the device has finished.
        """

    def executed(self, batch: npt.NDArray[np.float32]) -> Executed:
        """Return what ran, from the runtime's own graph; `batch` as for infer. It is never timed."""

    def device_bytes(self) -> int | None:
        """Return the bytes in an accelerator's own memory; None if there is none, or it is not available."""

    def close(self) -> None:
        """Release the session's memory."""


@runtime_checkable
class Runtime(Protocol):
    """A module that loads artifacts of one format."""

    def load(self, entry: Path, options: LoadOptions) -> Session:
        """Load the artifact whose entry file is `entry`."""

    def version(self) -> str:
        """Return the runtime's name and version, such as `onnxruntime 1.32.0`."""
