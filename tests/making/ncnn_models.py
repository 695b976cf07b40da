"""ncnn models of a few layers, written by hand."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.bundle.variants import Precision
from bench.run_config import RunConfig
from bench.runtimes.executed_ncnn import HALF_TAG
from bench.runtimes.protocol import LoadOptions
from bench.runtimes.run_ncnn import NcnnSession, load

INT8_TAG = 0x000D4B38


def write_ncnn(folder: Path, layers: Sequence[str], *weights: bytes) -> Path:
    """Write layers and the weights that they have in this order."""
    blobs = {blob for line in layers for blob in _blobs(line.split())}
    path = folder / "model.param"
    path.write_text("\n".join(["7767517", f"{len(layers)} {len(blobs)}", *layers, ""]))
    path.with_suffix(".bin").write_bytes(b"".join(weights))
    return path


def _blobs(words: Sequence[str]) -> Sequence[str]:
    return words[4 : 4 + int(words[2]) + int(words[3])]


def tagged(values: Sequence[float] | np.ndarray, tag: int = 0) -> bytes:
    """Return weights as ncnn stores them behind a tag: in float, in half or in int8."""
    dtype = {0: np.float32, HALF_TAG: np.float16, INT8_TAG: np.int8}[tag]
    stored = np.asarray(values, dtype=dtype).tobytes()
    return tag.to_bytes(4, "little") + stored + bytes(-len(stored) % 4)


def raw(values: Sequence[float] | np.ndarray) -> bytes:
    """Return biases and scales, which have no tag."""
    return np.asarray(values, dtype=np.float32).tobytes()


def opened(path: Path, precision: Precision = Precision.FP32) -> NcnnSession:
    return load(path, LoadOptions(RunConfig(threads=1, provider="cpu"), precision=precision))
