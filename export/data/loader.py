"""Reads ready inputs that a user's function yields, with or without labels. Few of many are in memory."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.bundle.evaluation_pack import Labels
from bench.bundle.samples import Sample, inferences_of, refuse_other_shapes
from bench.bundle.signature import Array, Tensor, refuse_unusable
from bench.bundle.tensor_pack import TensorPack
from bench.errors import InputError
from export.data.class_names import listed
from export.data.listing import Listing
from models.progress import Progress
from models.sources.options import SPLIT_SEED

# A loader may be endless. So many are looked at, and what is used is drawn from them at random.
MOST_EXAMINED = 8192
# All of them are in memory, and travel to workers in files.
_MOST_BYTES = 1 << 30
_LABEL_FORMS = "a label is the number of a class, from 0, or a vector of 0 and 1 for several labels"


@dataclass(frozen=True)
class CollectedTensors:
    """Ready inputs that were collected."""

    listing: Listing
    """What is known of them."""
    pack: TensorPack
    """The inputs of each sample."""
    inputs: tuple[Tensor, ...]
    """The network's inputs, with the shapes and types of the samples."""


def collect(
    where: str,
    samples: Iterable[Sample],
    tensors: Sequence[Tensor],
    most: int,
    stated: tuple[str, ...],
    progress: Progress,
) -> CollectedTensors:
    """Return at most `most` samples for a network with the inputs `tensors`, drawn at random from the first
    ones; equal samples count once.

    `where` names the data in messages. Raises InputError if there is none, if shapes, types or labels do not
    fit, or if some have labels and others have none.
    """
    if not tensors:
        raise InputError(f"{where}: the source takes no input, so that it needs no data")
    refuse_unusable(where, tensors, {})
    progress.begin("Reading samples", most)
    reservoir = _Reservoir(where, tuple(tensors), most, progress)
    is_cut = False
    for sample in samples:
        if reservoir.examined >= MOST_EXAMINED:
            is_cut = True
            break
        reservoir.add(sample)
    return reservoir.result(stated, is_cut)


class _Reservoir:
    """Keeps samples of a stream, so that each of the stream is kept with the same chance."""

    def __init__(self, where: str, tensors: tuple[Tensor, ...], most: int, progress: Progress) -> None:
        self.examined = 0
        self._where, self._tensors, self._most, self._progress = where, tensors, most, progress
        self._random = np.random.default_rng(SPLIT_SEED)
        self._digests: set[bytes] = set()
        self._first: list[Array] = []
        self._arrays: list[Array] = []
        self._labels: list[Labels] = []
        self._is_labelled: bool | None = None
        self._equal = 0
        self._unused: set[str] = set()

    def add(self, sample: Sample) -> None:
        """Take the inferences of a sample."""
        if self._is_labelled not in (None, sample.is_labelled):
            raise InputError(
                f"{sample.where}: has {'a' if sample.is_labelled else 'no'} label, unlike those before it; "
                "give every sample a label, or none"
            )
        self._is_labelled = sample.is_labelled
        self._unused |= sample.arrays.keys() - {tensor.name for tensor in self._tensors} - {""}
        new = inferences_of(self._where, self._tensors, sample)
        labels = _labels_of(sample, new, self._tensors) if sample.is_labelled else None
        for index, arrays in enumerate(new):
            self._add_one(sample, arrays, None if labels is None else labels[index])

    def _add_one(self, sample: Sample, arrays: list[Array], label: Labels | None) -> None:
        if not self._arrays:
            self._begin(arrays)
        refuse_other_shapes(self._where, self._tensors, sample, [self._first, arrays])
        if label is not None and self._labels and label.shape != self._labels[0].shape:
            raise InputError(
                f"{sample.where}: its label has the shape {list(label.shape)}, and an earlier one "
                f"{list(self._labels[0].shape)}; {_LABEL_FORMS}"
            )
        self.examined += 1
        digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).digest()
        if digest in self._digests:
            self._equal += 1
            return
        self._digests.add(digest)
        self._keep(arrays, label)

    def _begin(self, arrays: list[Array]) -> None:
        each = max(1, sum(array.nbytes for array in arrays))
        self._most = max(1, min(self._most, _MOST_BYTES // each))
        self._first = [array.copy() for array in arrays]
        # Memory is used as far as it is written.
        self._arrays = [np.empty((self._most, *array.shape), array.dtype) for array in arrays]

    def _keep(self, arrays: list[Array], label: Labels | None) -> None:
        different = len(self._digests)
        place = different - 1
        if different > self._most:
            place = int(self._random.integers(different))
            if place >= self._most:
                return
        else:
            self._progress.advance()
        for own, array in zip(self._arrays, arrays, strict=True):
            own[place] = array
        if label is None:
            return
        if place == len(self._labels):
            self._labels.append(label)
        else:
            self._labels[place] = label

    def result(self, stated: tuple[str, ...], is_cut: bool) -> CollectedTensors:
        """Return what was kept. Raises InputError if there was nothing."""
        count = min(self._most, len(self._digests))
        if not count:
            raise InputError(f"{self._where}: has no sample; yield ({{input: array}}, label) once or more")
        labels = np.stack(self._labels) if self._is_labelled else None
        _refuse_outside(self._where, labels, stated)
        listing = Listing(
            name=Path(self._where).name,
            where=self._where,
            splits=("",) * count,
            patients=(None,) * count,
            labels=labels,
            classes=stated,
            notes=self._notes(count, is_cut),
        )
        inputs = tuple(
            tensor.model_copy(update={"shape": array.shape, "dtype": array.dtype.name})
            for tensor, array in zip(self._tensors, self._first, strict=True)
        )
        return CollectedTensors(listing, TensorPack(tuple(array[:count] for array in self._arrays)), inputs)

    def _notes(self, count: int, is_cut: bool) -> tuple[str, ...]:
        different = len(self._digests)
        first = f"the first {self.examined}" if is_cut else "all"
        return (
            *([f"{count} of {first} samples were drawn at random."] if count < different or is_cut else []),
            *([f"Equal samples count once: {self._equal} left out."] if self._equal else []),
            *(f"The array '{name}' is not used: no input has this name." for name in sorted(self._unused)),
        )


def _labels_of(sample: Sample, inferences: list[list[Array]], tensors: Sequence[Tensor]) -> Labels:
    """Return the label of each inference of a sample: [inferences], or [inferences, labels]."""
    values = _numbers(sample)
    count = len(inferences)
    if count == 1 and values.ndim <= 1:
        items = _items(inferences[0], tensors)
        if items > 1 and len(np.atleast_1d(values)) == items:
            return values[:1]  # one for each item of a batch, of which the first is judged
        return _checked(sample, values.reshape(1) if values.size == 1 else values[None])
    items = len(values) if values.ndim else 0
    if items in (count, count * _items(inferences[0], tensors)):
        # Of a batch with a fixed number of items the first is judged.
        return _checked(sample, values[:: items // count])
    raise InputError(
        f"{sample.where}: has {count} inputs, and a label of the shape {list(values.shape)}; {_LABEL_FORMS}; "
        "for several inputs give as many of them"
    )


def _items(arrays: list[Array], tensors: Sequence[Tensor]) -> int:
    """Return how many items a batch of a fixed size has."""
    shape = tensors[0].shape
    return shape[0] if shape and isinstance(shape[0], int) and arrays[0].ndim else 1


def _numbers(sample: Sample) -> npt.NDArray[np.int64]:
    try:
        values = np.asarray(sample.label)
    # A label is the user's object, and may raise anything.
    except Exception as error:
        raise InputError(f"{sample.where}: its label cannot be read ({error}); {_LABEL_FORMS}") from error
    is_number = values.dtype.kind in "biuf" and values.ndim <= 2 and values.size > 0
    if not is_number or not np.array_equal(values, np.floor(values)) or values.min() < 0:
        raise InputError(f"{sample.where}: its label is {_short(sample.label)}; {_LABEL_FORMS}")
    return values.astype(np.int64)


def _short(value: object) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:60]}…"


def _checked(sample: Sample, labels: Labels) -> Labels:
    if labels.ndim == 2 and labels.shape[1] > 1 and labels.max() > 1:
        raise InputError(f"{sample.where}: its label is {_short(sample.label)}; {_LABEL_FORMS}")
    return labels[:, 0] if labels.shape[1:] == (1,) else labels


def _refuse_outside(where: str, labels: Labels | None, stated: tuple[str, ...]) -> None:
    if labels is None or not stated:
        return
    count = labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1
    if count > len(stated) or (labels.ndim == 2 and count < len(stated)):
        what = f"{count} labels each" if labels.ndim == 2 else f"labels up to {count - 1}"
        raise InputError(
            f"{where}: its samples have {what}, and {len(stated)} classes are named ({listed(stated)}); name "
            "them all, with --classes, in the order of the output"
        )
