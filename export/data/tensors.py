"""Ready inputs of a network with what is known of them. It knows no kind of data."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.bundle.signature import Tensor
from bench.bundle.tensor_pack import TensorPack


@dataclass(frozen=True)
class LabelledTensors:
    """Ready inputs with what is known of them, split in three sets that have none in common."""

    name: str
    """Where they come from, for people."""
    pack: TensorPack
    """The inputs of each sample."""
    inputs: tuple[Tensor, ...]
    """The network's inputs, with the shapes and types of the samples."""
    labels: Labels | None
    """The class of each sample [n], or for each label whether it applies [n, labels]; None without labels."""
    classes: tuple[str, ...]
    """The names of the classes, or of the labels; empty where nobody named them."""
    calibration: npt.NDArray[np.int64]
    """The indices of the samples for calibration, in an order of which every prefix is about stratified."""
    held_out: npt.NDArray[np.int64]
    """The indices of the samples on which recipes are compared, in such an order."""
    evaluation: npt.NDArray[np.int64]
    """The indices of the samples on which artifacts are verified, in such an order."""
    notes: tuple[str, ...]
    """What a person should know of them: sentences."""
    warnings: tuple[str, ...] = ()
    """What of the data is probably not meant so: sentences, which are notes as well."""
    positive: str | None = None
    """The class that the data set itself calls positive; None where it calls none so."""
