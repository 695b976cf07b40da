"""Makes the inputs of a model file from images: its preprocessing is found, and every image is prepared so.

Where nothing states how values are scaled, the error lists what to type.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from bench.bundle.found_preprocessing import find_preprocess
from bench.bundle.image_folder import ImageFolder, load_images
from bench.bundle.input_arrays import Layout, to_input
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.joined_preprocessing import FieldOrigin, Found, ImageInput
from bench.bundle.model_set import InputOrigin
from bench.bundle.onnx_graph import read_onnx_graph
from bench.bundle.samples import MOST_INFERENCES
from bench.bundle.sidecar import SIDECAR, find_sidecar, read_sidecar
from bench.bundle.signature import Shapes, StatedInput, Tensor, refuse_unusable, with_shapes
from bench.bundle.stated_preprocessing import PRESETS, Geometry, PresetName, Stated
from bench.bundle.tensor_pack import MAX_BYTES, TensorPack
from bench.errors import InputError
from bench.filesystem.whole_files import sha256_of

_PRESET_WORDS: Mapping[PresetName, str] = {
    "imagenet": "values from 0 to 1, minus ImageNet's mean, divided by its std",
    "unit": "values from 0 to 1",
    "raw": "values from 0 to 255",
    "symmetric": "values from −1 to 1",
}
_IMAGENET = Geometry("crop", crop_pct=0.875)
_USUAL = Geometry("squash")


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


def stated_by_option(preprocess: str | None) -> tuple[Stated, ...]:
    """Return what `--preprocess` states: the name of usual numbers, or a file like edgefit.yaml.

    With such a name, and without the option, the way to resize is a default, which every other source goes
    before.
    """
    usual = Stated("edgefit's default", geometry=_USUAL, is_default=True)
    if preprocess is None:
        return (usual,)
    origin = f"--preprocess {preprocess}"
    for name, numbers in PRESETS.items():
        if name == preprocess:
            geometry = Stated(origin, geometry=_IMAGENET, is_default=True) if name == "imagenet" else usual
            return (Stated(origin, numbers=numbers), geometry)
    path = Path(preprocess)
    if not path.is_file():
        raise InputError(
            f"--preprocess {preprocess}: is neither {', '.join(PRESETS)} nor a file; give one of these "
            f"names, or a file with the keys of {SIDECAR}"
        )
    return (read_sidecar(path).stated(origin), usual)


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
        tensor = _only_input(name, inputs, shapes)
        layout = tensor.layout or _stated_layout(path)
        image_input = ImageInput(tensor.shape or (), tensor.dtype, layout)
        metadata = read_onnx_graph(path).metadata if format_ == "onnx" else {}
        found = find_preprocess(path, metadata, image_input, self._stated)
        preprocess = _preprocess_of(name, tensor, image_input, found)
        assert layout is not None  # or there would be no preprocessing
        fixed = _fixed(name, tensor, preprocess, layout)
        images = self._images(name, fixed, preprocess)
        return PreparedImages(
            inputs=(fixed,),
            pack=_packed(images, fixed, preprocess, layout),
            preprocess=preprocess,
            origins=_grouped(found.origins),
            data_sha256=_sha256_of_files(images.files),
            conflicts=found.conflicts,
            notes=_notes(self.folder, images),
        )

    def _images(self, name: str, tensor: Tensor, preprocess: Preprocess) -> ImageFolder:
        """Return as many images as are run: whole batches."""
        batch = tensor.sizes[0]
        images = load_images(self.folder, preprocess, _most_inferences(tensor) * batch)
        used = len(images.files) // batch * batch
        if not used:
            raise InputError(
                f"{name}: takes {batch} images at once, and {self.folder} has {len(images.files)}; add images"
            )
        return replace(images, files=images.files[:used], images=images.images[:used])


def _packed(images: ImageFolder, tensor: Tensor, preprocess: Preprocess, layout: Layout) -> TensorPack:
    items = [to_input(image, preprocess, layout, tensor.dtype)[0] for image in images.images]
    return TensorPack((np.stack(items).reshape(-1, *tensor.sizes),))


def _only_input(name: str, inputs: Sequence[Tensor], shapes: Shapes) -> Tensor:
    """Return the model's only input with the shape that was stated of it, as far as it is known."""
    if len(inputs) != 1:
        names = ", ".join(tensor.name for tensor in inputs)
        raise InputError(
            f"{name}: has {len(inputs)} inputs ({names}), and a folder of images is data for one; give "
            "arrays for each: --data FILE.npz or FILE.py:load_data"
        )
    (tensor,) = inputs
    refuse_unusable(name, inputs, shapes)
    is_stated = tensor.name in shapes or tensor.shape is None
    return with_shapes(name, inputs, shapes)[0] if is_stated else tensor


def _preprocess_of(name: str, tensor: Tensor, image_input: ImageInput, found: Found) -> Preprocess:
    if found.preprocess is not None:
        return found.preprocess
    if not image_input.takes_images and not found.missing:
        raise InputError(
            f"{name}: its input {tensor.words} is not that of an image with 1 or 3 channels; if it takes "
            f"one, state its shape: --shape {tensor.name}:1x3x224x224; else give arrays: --data FILE.npz or "
            "FILE.py:load_data"
        )
    raise InputError(f"{name}: {_what_to_type(tensor, found)}")


def _what_to_type(tensor: Tensor, found: Found) -> str:
    """Return what is missing, and the options that state it."""
    sentences = [f"nothing states {', '.join(found.missing)} of the images for its input {tensor.words}"]
    sentences += found.conflicts
    if "input_size" in found.missing:
        sentences.append(f"state its size: --shape {tensor.name}:1x3x224x224")
    if "scale" in found.missing:
        channels = 1 if tensor.shape is not None and 1 in (tensor.shape[1], tensor.shape[-1]) else 3
        names = ", ".join(
            f"--preprocess {preset} ({words})"
            for preset, words in _PRESET_WORDS.items()
            if PRESETS[preset].for_channels(channels) is not None
        )
        sentences.append(f"state how values are scaled, as in training: {names}")
    example = "preprocess: {scale: 0.00392157, mean: [0, 0, 0], std: [1, 1, 1]}"
    sentences.append(f"or write {SIDECAR} beside the model, or another file for --preprocess FILE: {example}")
    return "; ".join(sentences)


def _stated_layout(path: Path) -> Layout | None:
    """Return the order of the axes that `edgefit.yaml` states, for an input whose channels are open."""
    sidecar = find_sidecar(path)
    return None if sidecar is None else read_sidecar(sidecar).input.layout


def _fixed(name: str, tensor: Tensor, preprocess: Preprocess, layout: Layout) -> Tensor:
    """Return the input with the size of the images."""
    channels, height, width = preprocess.input_size
    assert tensor.shape is not None
    first = tensor.shape[0] if isinstance(tensor.shape[0], int) else 1
    shape = (first, channels, height, width) if layout == "NCHW" else (first, height, width, channels)
    return with_shapes(name, [tensor], {tensor.name: StatedInput(shape)})[0]


def _most_inferences(tensor: Tensor) -> int:
    return max(1, min(MOST_INFERENCES, MAX_BYTES // max(1, tensor.bytes_each)))


def _grouped(origins: Sequence[FieldOrigin]) -> tuple[InputOrigin, ...]:
    """Return each source once, with the keys that it states."""
    return tuple(
        InputOrigin(keys=tuple(origin.field for origin in fields), origin=source)
        for source, fields in groupby(origins, key=lambda origin: origin.origin)
    )


def _notes(path: Path, images: ImageFolder) -> tuple[str, ...]:
    """Return what of a folder is not used."""
    labels = () if images.labels is None else (f"{path}: its subfolders are not used as labels",)
    used = len(images.files)
    if used == images.total:
        return labels
    return (*labels, f"{path}: {used} of its {images.total} images are used, spread evenly")


def _sha256_of_files(files: Sequence[Path]) -> str:
    return hashlib.sha256("".join(map(sha256_of, files)).encode()).hexdigest()
