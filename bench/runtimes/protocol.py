"""The interface of a runtime. It knows no format; each `run_*.py` module is a Runtime."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from bench.bundle.model_graph import ModelGraph
from bench.bundle.signature import Inputs, ModelDescription, Outputs, Tensor
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
    inputs: tuple[Tensor, ...] = ()
    """The shapes that a model with open axes is loaded for; empty if its file states them all."""


class Session(Protocol):
    """A loaded artifact, ready to run."""

    def infer(self, inputs: Inputs) -> Outputs:
        """Return every output for one array per input, in the signature's order and of its types and shapes.

        This is the whole timed region. It returns when the device has finished. The arrays are the caller's:
        a later inference does not change them.
        """

    def executed(self, inputs: Inputs) -> Executed:
        """Return what ran, from the runtime's own graph; `inputs` as for infer. It is never timed."""

    def device_bytes(self) -> int | None:
        """Return the bytes in an accelerator's own memory; None if there is none, or it is not available."""

    def close(self) -> None:
        """Release the session's memory."""


@runtime_checkable
class Runtime(Protocol):
    """A module that loads artifacts of one format."""

    def load(self, entry: Path, options: LoadOptions) -> Session:
        """Load the artifact whose entry file is `entry`."""

    def describe(self, entry: Path) -> ModelDescription:
        """Read a model file's signature and precision, without running it."""

    def read_graph(self, entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:
        """Read a model file's graph before it is optimised.

        `inputs`: with fixed shapes, to count multiply-accumulates; None: they stay unknown.
        """

    def version(self) -> str:
        """Return the runtime's name and version, such as `onnxruntime 1.32.0`."""
