"""What a runtime is to the harness. It knows no format; each `run_*.py` module is a Runtime."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bench.measurements import Executed


@dataclass(frozen=True)
class LoadOptions:
    """How to load. `provider`: the runtime's own name for where it runs; `engine`: see ArtifactRecord.

    `foreign_engine`: an engine for other CPUs may be tried here, to verify what is made for them, or to stand
    in for one of them. `half`: the artifact is fp16, to be computed in half precision where the device has
    arithmetic for it; `int8`: the artifact is int8, for those who must be told.
    `exact`: compute int8 with sums that do not saturate: slow, and never timed.
    """

    threads: int
    provider: str
    engine: str | None = None
    foreign_engine: bool = False
    half: bool = False
    int8: bool = False
    exact: bool = False


class Session(Protocol):
    """A loaded artifact, ready to run."""

    def infer(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return logits [1, classes] for a batch [1, 3, side, side] in [0, 1].

        This is the whole timed region: it returns when the device has finished.
        """

    def executed(self, batch: npt.NDArray[np.float32]) -> Executed:
        """Return what the runtime's own executed graph says ran; `batch` as for infer. Never timed."""

    def device_bytes(self) -> int | None:
        """Return what it has in an accelerator's own memory; None where there is none, or it is not told."""

    def close(self) -> None:
        """Release what the session holds."""


class Runtime(Protocol):
    """A module that loads artifacts of one format."""

    def load(self, entry: Path, options: LoadOptions) -> Session:
        """Load the artifact whose entry file is `entry`."""

    def version(self) -> str:
        """Return the runtime's name and version, such as `onnxruntime 1.32.0`."""
