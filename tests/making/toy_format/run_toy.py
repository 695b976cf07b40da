"""The toy format's runtime. It cannot tell what ran."""

from pathlib import Path

import torch

from bench.bundle.signature import Inputs, ModelDescription, Outputs, Signature, Tensor
from bench.bundle.variants import Precision
from bench.measurements import Executed
from bench.runtimes.protocol import LoadOptions


class ToySession:
    def __init__(self, entry: Path) -> None:
        self._program = torch.export.load(entry).module()

    def infer(self, inputs: Inputs) -> Outputs:
        with torch.inference_mode():
            logits = self._program(torch.from_numpy(inputs[0])).numpy()
        return [logits]

    def executed(self, inputs: Inputs) -> Executed:
        return Executed(source="nothing: a toy", operators=(), casts=0, quantise=0, dequantise=0)

    def device_bytes(self) -> int | None:
        return None

    def close(self) -> None:
        del self._program


def load(entry: Path, options: LoadOptions) -> ToySession:
    torch.set_num_threads(options.config.threads)
    return ToySession(entry)


def describe(entry: Path) -> ModelDescription:
    signature = Signature(inputs=(Tensor(name="image", dtype="float32", shape=None),), outputs=())
    return ModelDescription(signature=signature, precision=Precision.FP32)


def version() -> str:
    return f"torch {torch.__version__}"
