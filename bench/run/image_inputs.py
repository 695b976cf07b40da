"""Makes the inputs of a model file from images: its preprocessing is found, and every image is prepared so.

Where nothing states how values are scaled, the error lists what to type.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bench.bundle.image_folder import ImageFolder, ListedFolder, list_images, load_images, survey_of
from bench.bundle.input_arrays import Layout, to_input
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.model_set import InputOrigin
from bench.bundle.required_preprocessing import PreprocessSources, only_input, require_preprocess
from bench.bundle.samples import MOST_INFERENCES
from bench.bundle.signature import Shapes, StatedInput, Tensor, refuse_unusable, with_shapes
from bench.bundle.stated_preprocessing import Stated
from bench.bundle.tensor_pack import MAX_BYTES, TensorPack
from bench.errors import InputError
from user_files.hashes import sha256_of


@dataclass(frozen=True)
class PreparedImages:
    """Images as the input of one model."""

    inputs: tuple[Tensor, ...]
    """The model's input with a fixed shape."""
    pack: TensorPack
    """The images, as the model takes them."""
    preprocess: Preprocess
    """How they were prepared."""
    origins: tuple[InputOrigin, ...]
    """Where each part of that came from."""
    data_sha256: str
    """SHA-256 of the image files."""
    conflicts: tuple[str, ...]
    """Sources of the preprocessing that contradict each other."""
    notes: tuple[str, ...]
    """What of the images is not used."""


class ImageInputs:
    """The images of a folder."""

    def __init__(self, folder: Path, stated: Sequence[Stated]) -> None:
        """Take images from `folder`; `stated`: what options and defaults say of preprocessing."""
        self.folder, self._stated = folder, tuple(stated)

    def prepare(
        self, name: str, path: Path, format_: str, inputs: Sequence[Tensor], shapes: Shapes
    ) -> PreparedImages:
        """Return the images as the input of the model `name` in the file `path`.

        Raises InputError if the model does not take one image, or if nothing states how to prepare it.
        """
        tensor = _input_of(name, inputs, shapes)
        found = require_preprocess(name, tensor, PreprocessSources(path, format_, self._stated))
        fixed = _fixed(name, tensor, found.preprocess, found.layout)
        listed = self._listed(name, fixed)
        survey = survey_of(listed.files)
        found = found.for_images(survey)
        images = load_images(listed, found.preprocess)
        return PreparedImages(
            inputs=(fixed,),
            pack=_packed(images, fixed, found.preprocess, found.layout),
            preprocess=found.preprocess,
            origins=found.origins,
            data_sha256=_sha256_of_files(images.files),
            conflicts=found.conflicts,
            notes=(
                *_notes(self.folder, images),
                *_of_folder(self.folder, (*found.image_warnings, *found.image_notes)),
            ),
        )

    def _listed(self, name: str, tensor: Tensor) -> ListedFolder:
        """Return as many images as are run: whole batches."""
        batch = tensor.sizes[0]
        listed = list_images(self.folder, _most_inferences(tensor) * batch)
        used = len(listed.files) // batch * batch
        if not used:
            raise InputError(
                f"{name}: takes {batch} images at once, and {self.folder} has {len(listed.files)}; add images"
            )
        return replace(listed, files=listed.files[:used])


def _packed(images: ImageFolder, tensor: Tensor, preprocess: Preprocess, layout: Layout) -> TensorPack:
    items = [
        to_input(image, preprocess, layout, tensor.dtype, tensor.quantisation)[0] for image in images.images
    ]
    return TensorPack((np.stack(items).reshape(-1, *tensor.sizes),))


def _input_of(name: str, inputs: Sequence[Tensor], shapes: Shapes) -> Tensor:
    """Return the model's only input with the shape that was stated of it, as far as it is known."""
    tensor = only_input(name, inputs)
    refuse_unusable(name, inputs, shapes)
    is_stated = tensor.name in shapes or tensor.shape is None
    return with_shapes(name, inputs, shapes)[0] if is_stated else tensor


def _fixed(name: str, tensor: Tensor, preprocess: Preprocess, layout: Layout) -> Tensor:
    """Return the input with the size of the images."""
    channels, height, width = preprocess.input_size
    assert tensor.shape is not None
    first = tensor.shape[0] if isinstance(tensor.shape[0], int) else 1
    shape = (first, channels, height, width) if layout == "NCHW" else (first, height, width, channels)
    return with_shapes(name, [tensor], {tensor.name: StatedInput(shape)})[0]


def _most_inferences(tensor: Tensor) -> int:
    return max(1, min(MOST_INFERENCES, MAX_BYTES // max(1, tensor.bytes_each)))


def _notes(path: Path, images: ImageFolder) -> tuple[str, ...]:
    """Return what of a folder is not used."""
    left_out = tuple(f"{path}: {warning}" for warning in images.warnings)
    labels = () if images.labels is None else (f"{path}: its subfolders are not used as labels",)
    used = len(images.files)
    if used == images.total:
        return (*left_out, *labels)
    return (*left_out, *labels, f"{path}: {used} of its {images.total} images are used, spread evenly")


def _of_folder(path: Path, sentences: Sequence[str]) -> tuple[str, ...]:
    """Return sentences as warnings have them: after the folder, and without a full stop."""
    return tuple(f"{path}: {note[0].lower()}{note[1:].removesuffix('.')}" for note in sentences)


def _sha256_of_files(files: Sequence[Path]) -> str:
    return hashlib.sha256("".join(map(sha256_of, files)).encode()).hexdigest()
