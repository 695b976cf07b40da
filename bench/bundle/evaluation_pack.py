"""The samples on which accuracy is measured: inputs, labels, and the outputs of the source.

It knows the file and the arrays, not how they were chosen nor what is computed from them.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.bundle.input_arrays import Layout, to_input
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.signature import Array, Inputs, Tensor
from bench.bundle.stored_rows import StoredRows, open_stored
from bench.bundle.tensor_pack import StoredTensors, TensorPack, is_input, tensors_of
from bench.errors import InputError
from user_files.arrays import ArrayTooLargeError
from user_files.faults import why_unreadable
from user_files.reading import naming

FILE_NAME = "evaluation.npz"

Labels = npt.NDArray[np.int64]
Images = npt.NDArray[np.uint8] | StoredRows
_IMAGES = "images"
_PREPROCESS = "preprocess"
_LABEL_AXES = (1, 2)


@dataclass(frozen=True)
class PackInputs:
    """What a model is run with: all that a process needs which only times it."""

    images: Images | None
    """Grey images [n, height, width] or RGB [n, height, width, 3]; None where the inputs are no images."""
    preprocess: Preprocess | None
    """How an image becomes an input; None: RGB in [0, 1], which edgefit's own networks take."""
    tensors: TensorPack | StoredTensors | None
    """Ready inputs; None where there are images."""

    def __len__(self) -> int:
        return len(self.tensors) if self.images is None and self.tensors is not None else len(self._images)

    @property
    def _images(self) -> Images:
        assert self.images is not None
        return self.images

    def image(self, index: int) -> npt.NDArray[np.uint8]:
        """Return one image of a pack that has some."""
        image: npt.NDArray[np.uint8] = self._images[index]
        return image

    def batch(self, index: int) -> npt.NDArray[np.float32]:
        """Return image `index` as edgefit's own networks take it: float32 [1, 3, height, width] in [0, 1]."""
        return as_batch(self.image(index))

    def inputs(self, index: int, tensors: Sequence[Tensor] = ()) -> Inputs:
        """Return the inputs of inference `index`, for a model that takes `tensors`.

        An image is repeated for a model that takes a fixed number of them at once.
        """
        if self.tensors is not None:
            return self.tensors.inputs(index)
        if self.preprocess is None and not tensors:
            return [self.batch(index)]
        (tensor,) = tensors
        item = self._item(index, tensor)
        return [np.ascontiguousarray(np.repeat(item, tensor.sizes[0], axis=0))]

    def _item(self, index: int, tensor: Tensor) -> Array:
        """Return image `index` as a model's input, for one image."""
        if self.preprocess is not None:
            layout = layout_of(tensor, self.preprocess)
            return to_input(self.image(index), self.preprocess, layout, tensor.dtype, tensor.quantisation)
        batch = self.batch(index)
        item = batch if tensor.sizes[1:] == batch.shape[1:] else batch.transpose(0, 2, 3, 1)
        return item.astype(tensor.dtype, copy=False)


@dataclass(frozen=True)
class EvaluationPack:
    """Samples of a bundle: 8-bit images at network size, or ready inputs."""

    images: Images | None
    """Grey images [n, height, width] or RGB [n, height, width, 3]; None where the inputs are no images."""
    labels: Labels | None
    """The class of each sample [n], or for each of several labels whether it applies [n, labels]; None where
    nobody labelled them."""
    reference_logits: npt.NDArray[np.float32]
    """The source's judged output for each sample: float32 [n, values]."""
    preprocess: Preprocess | None = None
    """How an image becomes an input; None: RGB in [0, 1], which edgefit's own networks take."""
    tensors: TensorPack | StoredTensors | None = None
    """Ready inputs; None where there are images."""

    def __len__(self) -> int:
        return len(self.reference_logits)

    @property
    def pixels(self) -> npt.NDArray[np.uint8]:
        """The images of a pack that was read, and has some."""
        assert isinstance(self.images, np.ndarray)
        return self.images

    @property
    def samples(self) -> PackInputs:
        """What a model is run with."""
        return PackInputs(self.images, self.preprocess, self.tensors)

    def image(self, index: int) -> npt.NDArray[np.uint8]:
        """Return one image of a pack that has some."""
        return self.samples.image(index)

    def batch(self, index: int) -> npt.NDArray[np.float32]:
        """See PackInputs."""
        return self.samples.batch(index)

    def inputs(self, index: int, tensors: Sequence[Tensor] = ()) -> Inputs:
        """See PackInputs."""
        return self.samples.inputs(index, tensors)

    def samples_sha256(self) -> str:
        """Return the SHA-256 of all samples, without labels and answers: their types, shapes and values."""
        digest = hashlib.sha256()
        for index in range(len(self)):
            arrays = [self.image(index)] if self.tensors is None else self.tensors.inputs(index)
            for array in arrays:
                digest.update(f"{array.dtype} {array.shape}\n".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def first(self, count: int) -> "EvaluationPack":
        """Return the pack's first `count` samples; packs are stored shuffled, so these are stratified too."""
        return replace(
            self,
            images=_first(self.images, count),
            labels=None if self.labels is None else self.labels[:count],
            reference_logits=self.reference_logits[:count],
            tensors=None if self.tensors is None else self.tensors.first(count),
        )


def _first(images: Images | None, count: int) -> Images | None:
    return (
        images.first(count) if isinstance(images, StoredRows) else None if images is None else images[:count]
    )


def layout_of(tensor: Tensor, preprocess: Preprocess) -> Layout:
    """Return the order of the axes of a model's input, by the size of the images."""
    return "NCHW" if tensor.sizes[1:] == preprocess.input_size else "NHWC"


def as_batch(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Turn one uint8 image, grey or RGB, into a float32 batch [1, 3, height, width] in [0, 1]."""
    channels = np.repeat(image[None], 3, axis=0) if image.ndim == 2 else image.transpose(2, 0, 1)
    batch: npt.NDArray[np.float32] = np.ascontiguousarray(channels[None], dtype=np.float32)
    batch /= 255
    return batch


def write_pack(path: Path, pack: EvaluationPack) -> None:
    """Write a pack as a compressed npz file."""
    arrays: dict[str, Any] = {"reference_logits": pack.reference_logits}
    if pack.images is not None:
        arrays[_IMAGES] = np.ascontiguousarray(pack.pixels)  # so that each lies in one piece
    if pack.labels is not None:
        arrays["labels"] = pack.labels
    if pack.preprocess is not None:
        arrays[_PREPROCESS] = np.array(pack.preprocess.model_dump_json())
    if isinstance(pack.tensors, TensorPack):
        arrays |= pack.tensors.named
    with naming(path):
        np.savez_compressed(path, **arrays)


def read_pack(path: Path) -> EvaluationPack:
    """Read a pack; raises InputError if the file is not a pack or its arrays do not fit together."""
    return _read(path, is_stored=lambda _: False)


def open_pack(path: Path) -> EvaluationPack:
    """Read a pack whose images or ready inputs stay in the file until they are asked for; else as read_pack.

    In order they are read once, so that a pass over all of them takes the memory of one.
    """
    return _read(path, _is_sample)


def open_inputs(path: Path) -> PackInputs:
    """Open the inputs of a pack alone; they stay in the file, and labels and outputs are not even read.

    Raises InputError if the file is not a pack. Whoever opened all of it has checked how they fit together.
    """
    with _readable(path):
        stored = open_stored(path, _is_sample, is_read=lambda name: name == _PREPROCESS)
        inputs = _inputs_of(stored.rows, stored.arrays)
    if inputs.images is None and inputs.tensors is None:
        raise InputError(f"{path} is not an evaluation pack; export the bundle again")
    return inputs


def _is_sample(name: str) -> bool:
    return name == _IMAGES or is_input(name)


def _read(path: Path, is_stored: Callable[[str], bool]) -> EvaluationPack:
    with _readable(path):
        stored = open_stored(path, is_stored)
        pack = _pack_of({**stored.arrays, **stored.rows}, stored.arrays)
    if not _is_sound(pack):
        raise InputError(
            f"{path}: its inputs, labels and outputs do not fit together; export the bundle again"
        )
    return pack


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Raise InputError for whatever is wrong with a file that should be a pack."""
    try:
        yield
    except ArrayTooLargeError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ValueError, TypeError, KeyError):
        raise InputError(
            why_unreadable(path) or f"{path} is not an evaluation pack; export the bundle again"
        ) from None


def _pack_of(samples: Mapping[str, Array | StoredRows], arrays: Mapping[str, Array]) -> EvaluationPack:
    """Return the pack of a file. `samples`: with those of its arrays that may stay in it."""
    inputs = _inputs_of(samples, arrays)
    return EvaluationPack(
        images=inputs.images,
        labels=arrays.get("labels"),
        reference_logits=arrays["reference_logits"],
        preprocess=inputs.preprocess,
        tensors=inputs.tensors,
    )


def _inputs_of(samples: Mapping[str, Array | StoredRows], arrays: Mapping[str, Array]) -> PackInputs:
    """Return the inputs of a file; see _pack_of."""
    preprocess = str(arrays[_PREPROCESS]) if _PREPROCESS in arrays else None
    return PackInputs(
        images=samples.get(_IMAGES),
        preprocess=None if preprocess is None else Preprocess.model_validate_json(preprocess),
        tensors=tensors_of(samples),
    )


def _is_sound(pack: EvaluationPack) -> bool:
    logits = pack.reference_logits
    return (
        np.issubdtype(logits.dtype, np.floating)
        and logits.ndim == 2
        and len(pack) > 0
        and bool(np.isfinite(logits).all())
        and _are_samples(pack)
        and _are_labels(pack)
    )


def _are_samples(pack: EvaluationPack) -> bool:
    """Whether there are either images or ready inputs, one for each output."""
    if pack.tensors is not None:
        return (
            pack.images is None
            and set(pack.tensors.lengths) == {len(pack)}
            and all(dtype.kind in "fiub" for dtype in pack.tensors.dtypes)
        )
    if pack.images is None:
        return False
    shape = pack.images.shape
    is_coloured = len(shape) == 4 and shape[3] == 3
    return pack.images.dtype == np.uint8 and (len(shape) == 3 or is_coloured) and shape[0] == len(pack)


def _are_labels(pack: EvaluationPack) -> bool:
    labels = pack.labels
    if labels is None:
        return True
    is_fitting = (
        np.issubdtype(labels.dtype, np.integer) and labels.ndim in _LABEL_AXES and len(labels) == len(pack)
    )
    return (
        is_fitting and labels.size > 0 and labels.min() >= 0 and labels.max() <= _highest_label(pack, labels)
    )


def _highest_label(pack: EvaluationPack, labels: Labels) -> int:
    """Return the highest label that fits: a class of the output, or whether one of several labels applies.

    A single value may be a placeholder for outputs that are not known yet, so it limits nothing.
    """
    values = pack.reference_logits.shape[1]
    if labels.ndim > 1:
        return 1
    return values - 1 if values > 1 else int(np.iinfo(np.int64).max)
