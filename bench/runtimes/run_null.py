"""The null runtime: it does nothing, and so measures the harness itself and the baseline of memory."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.bundle.model_graph import ModelGraph
from bench.bundle.signature import Inputs, ModelDescription, Outputs, Signature, Tensor, image_input
from bench.bundle.variants import Precision
from bench.measurements import Executed
from bench.runtimes.protocol import LoadOptions


class NullSession:
    """Returns zeros for two classes."""

    def __init__(self) -> None:
        self._outputs = [np.zeros((1, 2), dtype=np.float32)]

    def infer(self, inputs: Inputs) -> Outputs:  # noqa: ARG002 - the protocol's
        """Return zeros [1, 2]."""
        return self._outputs

    def executed(self, inputs: Inputs) -> Executed:  # noqa: ARG002 - the protocol's
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


def describe(entry: Path) -> ModelDescription:  # noqa: ARG001 - the protocol's argument
    """Return the signature of a network of edgefit's own."""
    return ModelDescription(
        signature=Signature(inputs=(image_input(32),), outputs=()), precision=Precision.FP32
    )


def read_graph(entry: Path, inputs: Sequence[Tensor] | None) -> ModelGraph:  # noqa: ARG001 - the protocol's arguments
    """Return that it has no operators."""
    return ModelGraph(
        producer=None, ir_version=None, opsets=(), operators=(), parameters=0, precision=Precision.FP32
    )


def version() -> str:
    """Return the runtime's name and version."""
    return "null 1"
