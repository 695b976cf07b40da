"""The images on which accuracy is measured, with labels and the fp32 network's logits.

It knows the file and the arrays, not how they were chosen nor what is computed from them.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.bundle.signature import Inputs
from bench.errors import InputError

FILE_NAME = "evaluation.npz"


@dataclass(frozen=True)
class EvaluationPack:
    """Test images at network size.

    `images`: uint8 [n, side, side] grey or [n, side, side, 3] RGB; `labels`: int64 [n];
    `reference_logits`: float32 [n, classes], from the fp32 network in the framework it was trained in.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    reference_logits: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: int) -> npt.NDArray[np.float32]:
        """Return image `index` as every artifact takes it: float32 [1, 3, side, side] in [0, 1]."""
        return as_batch(self.images[index])

    def inputs(self, index: int) -> Inputs:
        """Return the inputs of inference `index`: its image alone."""
        return [self.batch(index)]

    def first(self, count: int) -> "EvaluationPack":
        """Return the pack's first `count` images; packs are stored shuffled, so these are stratified too."""
        return EvaluationPack(self.images[:count], self.labels[:count], self.reference_logits[:count])


def as_batch(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Turn one uint8 image, grey or RGB, into a float32 batch [1, 3, side, side] in [0, 1]."""
    channels = np.repeat(image[None], 3, axis=0) if image.ndim == 2 else image.transpose(2, 0, 1)
    batch: npt.NDArray[np.float32] = np.ascontiguousarray(channels[None], dtype=np.float32)
    batch /= 255
    return batch


def write_pack(path: Path, pack: EvaluationPack) -> None:
    """Write a pack as a compressed npz file."""
    np.savez_compressed(path, images=pack.images, labels=pack.labels, reference_logits=pack.reference_logits)


def read_pack(path: Path) -> EvaluationPack:
    """Read a pack; raises InputError if the file is not a pack or its arrays do not fit together."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            pack = EvaluationPack(arrays["images"], arrays["labels"], arrays["reference_logits"])
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        raise InputError(f"{path} is not an evaluation pack; export the bundle again") from None
    if not _is_sound(pack):
        raise InputError(
            f"{path}: its images, labels and logits do not fit together; export the bundle again"
        )
    return pack


def _is_sound(pack: EvaluationPack) -> bool:
    shape, logits = pack.images.shape, pack.reference_logits
    return (
        pack.images.dtype == np.uint8
        and (len(shape) == 3 or (len(shape) == 4 and shape[3] == 3))
        and np.issubdtype(pack.labels.dtype, np.integer)
        and pack.labels.ndim == 1
        and np.issubdtype(logits.dtype, np.floating)
        and logits.ndim == 2
        and bool(np.isfinite(logits).all())
        and len(pack.images) == len(pack) == len(logits) > 0
    )
