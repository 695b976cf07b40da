"""Reads the samples of an export: the images of its three sets at network size, or ready inputs."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.tensor_pack import TensorPack
from bench.errors import InputError
from export.data.images import LabelledImages
from export.data.samples import ExportData, Samples
from export.data.tensors import LabelledTensors
from models.positive import Positive
from models.progress import Progress

_AT_ONCE = 16


def export_data(
    found: LabelledImages | LabelledTensors,
    preprocess: Preprocess | None,
    positive: Positive | None,
    progress: Progress,
) -> ExportData:
    """Return the samples of the three sets; images are read as the network takes them.

    Raises InputError for an image that cannot be read, and for images without preprocessing.
    """
    sets = (found.calibration, found.held_out, found.evaluation)
    match found:
        case LabelledTensors():
            calibration, held_out, evaluation = (_tensors(found, chosen) for chosen in sets)
        case LabelledImages():
            if preprocess is None:
                raise InputError(
                    f"{found.name}: has images, and nothing says how one becomes an input; state --preprocess"
                )
            progress.begin("Reading images", sum(map(len, sets)))
            calibration, held_out, evaluation = (
                _images(found, chosen, preprocess, progress) for chosen in sets
            )
            sources = found.images.sources_sha256(found.evaluation.tolist())
            evaluation = replace(evaluation, sources_sha256=sources)
    return ExportData(
        name=found.name,
        classes=found.classes,
        positive=positive,
        calibration=calibration,
        held_out=held_out,
        evaluation=evaluation,
        notes=(*found.notes, *_positive_note(found, positive)),
    )


def _positive_note(found: LabelledImages | LabelledTensors, positive: Positive | None) -> tuple[str, ...]:
    return () if positive is None or found.labels is None else (positive.sentence,)


def _tensors(found: LabelledTensors, chosen: npt.NDArray[np.int64]) -> Samples:
    return Samples(
        images=None,
        labels=None if found.labels is None else found.labels[chosen],
        tensors=TensorPack(tuple(array[chosen] for array in found.pack.arrays)),
    )


def _images(
    found: LabelledImages, chosen: npt.NDArray[np.int64], preprocess: Preprocess, progress: Progress
) -> Samples:
    shape = preprocess.size if preprocess.channels == "grey" else (*preprocess.size, 3)
    images = np.empty((len(chosen), *shape), dtype=np.uint8)
    for first in range(0, len(chosen), _AT_ONCE):
        part = chosen[first : first + _AT_ONCE].tolist()
        images[first : first + len(part)] = found.images.read(part, preprocess)
        progress.advance(len(part))
    labels = None if found.labels is None else found.labels[chosen]
    return Samples(images=images, labels=labels, preprocess=preprocess)
