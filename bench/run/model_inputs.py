"""Where the inputs of model files come from: random values, arrays, or images. It measures nothing."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.bundle.model_set import RANDOM_VALUES, InputOrigin
from bench.bundle.required_preprocessing import stated_by_option
from bench.bundle.sample_sources import (
    TENSOR_SUFFIXES,
    USUAL_FUNCTION,
    samples_in_files,
    samples_of_function,
    tensor_files,
)
from bench.bundle.samples import MOST_INFERENCES, Sample, match_samples
from bench.bundle.signature import Shapes, Tensor, batch_of, refuse_huge, with_shapes
from bench.bundle.tensor_pack import MAX_BYTES, RANDOM_INPUTS, TensorPack, random_pack
from bench.errors import InputError
from bench.run.image_inputs import ImageInputs
from user_files.finding import first_image
from user_files.missing_paths import missing_hint
from user_files.path_kinds import folder_without_data, wrong_path

_USES = (
    "give a folder of images, a folder of .npy or .npz files, FILE.npz, or a function that yields arrays: "
    f"FILE.py:{USUAL_FUNCTION}"
)


@dataclass(frozen=True)
class OpenedModel:
    """A model file as its runtime describes it, and what was stated of its inputs."""

    name: str
    """What it is called in messages."""
    path: Path
    """The file."""
    format: str
    """Its format."""
    inputs: tuple[Tensor, ...]
    """Its inputs as the file states them."""
    shapes: Shapes
    """What was stated of them."""


@dataclass(frozen=True)
class ModelValues:
    """The inputs that a model file is run with."""

    inputs: tuple[Tensor, ...]
    """The inputs with fixed shapes and known types."""
    pack: TensorPack
    """Their values."""
    source: str
    """Where the values come from, in words."""
    data_sha256: str | None = None
    """SHA-256 of the data that they were made from; None for random values."""
    preprocessing: str | None = None
    """How an image became an input; None where the inputs are no images."""
    origins: tuple[InputOrigin, ...] = ()
    """Where the preprocessing came from."""
    warnings: tuple[str, ...] = ()
    """What a person should know of them."""


class InputsSource(Protocol):
    """Where inputs come from. One source serves all model files of a run."""

    def values_for(self, model: OpenedModel) -> ModelValues:
        """Return the inputs of a model file; raises InputError if there are none that fit it."""


class RandomInputs:
    """Random values of each input's shape and type."""

    def __init__(self, items: int = RANDOM_INPUTS) -> None:
        """Have at least so many items, in batches of the model's size; at least `RANDOM_INPUTS` batches."""
        self._items = items

    def values_for(self, model: OpenedModel) -> ModelValues:
        """Return the same random values for every model whose inputs have the same shapes and types."""
        inputs = with_shapes(model.name, model.inputs, model.shapes)
        refuse_huge(model.name, inputs)
        # The number depends on the inputs alone: models with equal ones are run with the same values.
        batches = math.ceil(self._items / batch_of(inputs, ()))
        return ModelValues(inputs, random_pack(inputs, max(RANDOM_INPUTS, batches)), RANDOM_VALUES)


class ArrayInputs:
    """Arrays of files, or of a user's function. They are read once, for all models."""

    def __init__(self, source: str, samples: Iterable[Sample]) -> None:
        """Read as many samples as are used, and one more, which tells that there are more."""
        self._source, self._samples = source, _first(samples)
        self._sha256 = _sha256_of(self._samples)

    def values_for(self, model: OpenedModel) -> ModelValues:
        """Return the arrays that are called like the model's inputs."""
        matched = match_samples(model.name, model.inputs, model.shapes, self._samples)
        return ModelValues(
            inputs=with_shapes(model.name, matched.inputs, {}),
            pack=matched.pack,
            source=self._source,
            data_sha256=self._sha256,
            warnings=tuple(f"{self._source}: {note}" for note in matched.notes),
        )


class ImageFolderInputs:
    """The images of a folder, prepared as each model takes them."""

    def __init__(self, folder: Path, preprocess: str | None) -> None:
        """Take images from `folder`; `preprocess` is what the option of that name says."""
        self._images = ImageInputs(folder, stated_by_option(preprocess))

    def values_for(self, model: OpenedModel) -> ModelValues:
        """Return the images as the model's input."""
        prepared = self._images.prepare(model.name, model.path, model.format, model.inputs, model.shapes)
        return ModelValues(
            inputs=prepared.inputs,
            pack=prepared.pack,
            source=f"images of {self._images.folder}",
            data_sha256=prepared.data_sha256,
            preprocessing=prepared.preprocess.words,
            origins=prepared.origins,
            warnings=(*(f"{model.name}: {conflict}" for conflict in prepared.conflicts), *prepared.notes),
        )


def inputs_source(data: str | None, preprocess: str | None) -> InputsSource:
    """Return the source that `--data` and `--preprocess` name; random values without `--data`.

    Raises InputError for data of another kind, and for a `--preprocess` that applies to nothing.
    """
    if data is None:
        _refuse_preprocess(preprocess, "add --data with a folder of images")
        return RandomInputs()
    if not data.strip():
        raise InputError(f"--data: {missing_hint(data)}")
    path = Path(data)
    if path.is_dir():
        return _source_in_folder(path, preprocess)
    _refuse_preprocess(preprocess, f"{data} has arrays, which a model takes as they are")
    return _source_in_file(data)


def _refuse_preprocess(preprocess: str | None, why: str) -> None:
    if preprocess is not None:
        raise InputError(f"--preprocess {preprocess}: it applies to images; {why}")


def _source_in_folder(folder: Path, preprocess: str | None) -> InputsSource:
    arrays = tensor_files(folder)
    image = first_image(folder)
    if arrays and image is not None:
        raise InputError(f"{folder}: has arrays ({arrays[0].name}) and images ({image.name}); separate them")
    if (own := folder_without_data(folder)) is not None:
        raise InputError(f"--data {folder}: is {own.what}, not data; {own.remedy or _USES}")
    if arrays:
        _refuse_preprocess(preprocess, f"{folder} has arrays, which a model takes as they are")
        return ArrayInputs(f"arrays of {folder}", samples_in_files(arrays))
    if image is None:
        raise InputError(f"--data {folder}: {wrong_path(folder, 'a folder of images or arrays', _USES)}")
    return ImageFolderInputs(folder, preprocess)


def _source_in_file(data: str) -> InputsSource:
    file, _, function = data.rpartition(":")
    if file.endswith(".py") or data.endswith(".py"):
        path, name = (Path(file), function) if file.endswith(".py") else (Path(data), USUAL_FUNCTION)
        return ArrayInputs(f"{path}:{name}", samples_of_function(path, name))
    path = Path(data)
    if not path.is_file() or path.suffix.lower() not in TENSOR_SUFFIXES:
        raise InputError(f"--data {data}: {wrong_path(path, 'data that edgefit bench reads', _USES)}")
    return ArrayInputs(f"arrays of {path}", samples_in_files([path]))


def _first(samples: Iterable[Sample]) -> list[Sample]:
    """Return the samples up to the first that is beyond the limits."""
    first: list[Sample] = []
    size = 0
    for sample in samples:
        first.append(sample)
        size += sum(array.nbytes for array in sample.arrays.values())
        if len(first) > MOST_INFERENCES or size > MAX_BYTES:
            break
    return first


def _sha256_of(samples: Iterable[Sample]) -> str:
    content = hashlib.sha256()
    for sample in samples:
        for name, array in sample.arrays.items():
            content.update(repr((name, array.dtype.name, array.shape)).encode())
            content.update(array.tobytes())
    return content.hexdigest()
