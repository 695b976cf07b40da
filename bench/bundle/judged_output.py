"""Which values of a model's outputs are judged. Pure."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Array, Outputs
from bench.bundle.source_record import OutputRecord

# Of an output without classes, so many values are compared: detections have a million.
MOST_VALUES = 4096
_SEED = 0

CLASSES = OutputRecord(name="logits", index=0, kind="classes", activation="logits")
"""The output of edgefit's own networks."""


def judged_values(outputs: Outputs, output: OutputRecord) -> npt.NDArray[np.float32]:
    """Return the values of one inference that are judged: float32 [values].

    They are the scores of the first item of a batch; of an output without classes all values, or a sample of
    them at random positions, which are always the same.
    """
    values = _as_float32(np.asarray(outputs[output.index]), output.quantisation)
    if output.kind != "values":
        first: npt.NDArray[np.float32] = values.reshape(len(values) if values.ndim else 1, -1)[0]
        return first
    flat = values.reshape(-1)
    if len(flat) > MOST_VALUES:
        flat = flat[np.random.default_rng(_SEED).permutation(len(flat))[:MOST_VALUES]]
    return flat


def _as_float32(values: Array, quantisation: Quantisation | None) -> npt.NDArray[np.float32]:
    if quantisation is not None:
        return quantisation.to_floats(values)
    converted: npt.NDArray[np.float32] = values.astype(np.float32)
    return converted


def stacked(rows: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Return the values of several inferences: float32 [inferences, values]. Raises ValueError if their
    number differs from one to another."""
    if len({len(row) for row in rows}) > 1:
        counts = f"{min(map(len, rows))} to {max(map(len, rows))}"
        raise ValueError(f"its output has {counts} values, another number for each input")
    return np.stack(rows)
