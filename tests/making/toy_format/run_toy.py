"""The toy format's runtime. It cannot tell what ran."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from bench.measurements import Executed
from bench.runtimes.protocol import LoadOptions


class ToySession:
    def __init__(self, entry: Path) -> None:
        self._program = torch.export.load(entry).module()

    def infer(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            logits: npt.NDArray[np.float32] = self._program(torch.from_numpy(batch)).numpy()
        return logits

    def executed(self, batch: npt.NDArray[np.float32]) -> Executed:
        return Executed(source="nothing: a toy", operators=(), casts=0, quantise=0, dequantise=0)

    def device_bytes(self) -> int | None:
        return None

    def close(self) -> None:
        del self._program


def load(entry: Path, options: LoadOptions) -> ToySession:
    torch.set_num_threads(options.config.threads)
    return ToySession(entry)


def version() -> str:
    return f"torch {torch.__version__}"
