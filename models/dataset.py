"""Labelled images in three splits, as every source hands them over. It knows nothing of files or networks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """`images`: uint8 [n, side, side] grey or [n, side, side, 3] RGB at network size; `labels`: int64 [n]."""

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """Images ready to train on. `classes[label]` names a class; `notes` are sentences on how it was split."""

    name: str
    classes: tuple[str, ...]
    train: Split
    validation: Split
    test: Split
    notes: tuple[str, ...] = ()
