"""The preprocessing of an input that is made from images: what was found, or an error with what to type.

Options go first, then files beside the model and the model itself, then what the network's library states.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from bench.bundle.found_preprocessing import find_preprocess
from bench.bundle.input_arrays import Layout
from bench.bundle.input_preprocessing import Preprocess
from bench.bundle.joined_preprocessing import THE_DEFAULT, WHITE, FieldOrigin, Found, ImageInput, joined
from bench.bundle.model_set import InputOrigin
from bench.bundle.onnx_graph import read_onnx_graph
from bench.bundle.sidecar import SIDECAR, find_sidecar, read_sidecar
from bench.bundle.signature import Tensor
from bench.bundle.stated_preprocessing import PRESETS, Geometry, PresetName, Stated
from bench.errors import InputError
from user_files.bits_in_use import BitsInUse
from user_files.decoding import FULL_WHITE
from user_files.missing_paths import missing_hint

_PRESET_WORDS: Mapping[PresetName, str] = {
    "imagenet": "values from 0 to 1, minus ImageNet's mean, divided by its std",
    "unit": "values from 0 to 1",
    "raw": "values from 0 to 255",
    "symmetric": "values from −1 to 1",
}
_IMAGENET = Geometry("crop", crop_pct=0.875)
_USUAL = Geometry("squash")


def stated_by_option(preprocess: str | None) -> tuple[Stated, ...]:
    """Return what `--preprocess` states: the name of usual numbers, or a file like edgefit.yaml.

    With such a name, and without the option, the way to resize is a default, which every other source goes
    before.
    """
    usual = Stated(THE_DEFAULT, geometry=_USUAL, is_default=True)
    if preprocess is None:
        return (usual,)
    origin = f"--preprocess {preprocess}"
    for name, numbers in PRESETS.items():
        if name == preprocess:
            geometry = Stated(origin, geometry=_IMAGENET, is_default=True) if name == "imagenet" else usual
            return (Stated(origin, numbers=numbers), geometry)
    path = Path(preprocess)
    if not path.is_file():
        remedy = f"give one of these names, or a file with the keys of {SIDECAR}"
        raise InputError(
            f"--preprocess {preprocess}: is neither {', '.join(PRESETS)} nor a file; "
            f"{(None if path.exists() else missing_hint(preprocess)) or remedy}"
        )
    return (read_sidecar(path).stated(origin), usual)


@dataclass(frozen=True)
class RequiredPreprocess:
    """How images become the input of a model, and who says so."""

    preprocess: Preprocess
    """How they are prepared."""
    layout: Layout
    """The order of the input's axes."""
    origins: tuple[InputOrigin, ...]
    """Where each part came from."""
    conflicts: tuple[str, ...]
    """Sources that contradict each other: sentences."""
    classes: tuple[str, ...] | None
    """The names of the classes, if a source states them."""
    classes_origin: str | None
    """Where they came from."""
    image_notes: tuple[str, ...] = ()
    """Why a value counts as white in the images that are read: sentences."""
    image_warnings: tuple[str, ...] = ()
    """What of these images is probably not meant so: sentences."""

    @property
    def states_white(self) -> bool:
        """Whether a source states which value counts as white in images of 16 bits."""
        return any(WHITE in origin.keys for origin in self.origins)

    def for_images(self, survey: BitsInUse) -> "RequiredPreprocess":
        """Return the same with the white of the images that are read, unless a source states one."""
        if self.states_white:
            return replace(self, image_warnings=survey.other_warnings)
        found = replace(self, image_notes=survey.notes, image_warnings=survey.warnings)
        if survey.white == FULL_WHITE:
            return found
        return replace(
            found,
            preprocess=self.preprocess.model_copy(update={WHITE: survey.white}),
            origins=(*self.origins, InputOrigin(keys=(WHITE,), origin="the bits that the images use")),
        )


@dataclass(frozen=True)
class PreprocessSources:
    """Where the preprocessing of a model is looked for."""

    path: Path | None
    """The model file, or the file with a network's weights, beside which files are read; None: there is
    none."""
    format: str | None
    """The format of the model file; None for weights and programs, which say nothing."""
    first: Sequence[Stated]
    """What options and defaults state."""
    last: Sequence[Stated] = ()
    """What the network's library states."""


def require_preprocess(name: str, tensor: Tensor, sources: PreprocessSources) -> RequiredPreprocess:
    """Return how images become the only input of the model `name`.

    Raises InputError if it takes no images, if a source is malformed, or if nothing states a part.
    """
    layout = tensor.layout or _stated_layout(sources.path)
    image_input = ImageInput(tensor.shape or (), tensor.dtype, layout, tensor.quantisation)
    found = _find(image_input, sources)
    preprocess = _preprocess_of(name, tensor, image_input, found)
    assert layout is not None  # or there would be no preprocessing
    return RequiredPreprocess(
        preprocess=preprocess,
        layout=layout,
        origins=_grouped(found.origins),
        conflicts=found.conflicts,
        classes=found.labels,
        classes_origin=found.labels_origin,
    )


def _find(image_input: ImageInput, sources: PreprocessSources) -> Found:
    if sources.path is None:
        return joined(image_input, [*sources.first, *sources.last])
    metadata = read_onnx_graph(sources.path).metadata if sources.format == "onnx" else {}
    return find_preprocess(sources.path, metadata, image_input, sources.first, sources.last)


def only_input(name: str, inputs: Sequence[Tensor]) -> Tensor:
    """Return a model's only input; raises InputError if it has several, or none."""
    if len(inputs) != 1:
        names = ", ".join(tensor.name for tensor in inputs)
        raise InputError(
            f"{name}: has {len(inputs)} inputs ({names}), and a folder of images is data for one; give "
            "arrays for each: --data FILE.npz or FILE.py:load_data"
        )
    return inputs[0]


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


def _stated_layout(path: Path | None) -> Layout | None:
    """Return the order of the axes that `edgefit.yaml` states, for an input whose channels are open."""
    sidecar = None if path is None else find_sidecar(path)
    return None if sidecar is None else read_sidecar(sidecar).input.layout


def _grouped(origins: Sequence[FieldOrigin]) -> tuple[InputOrigin, ...]:
    """Return each source once, with the keys that it states."""
    return tuple(
        InputOrigin(keys=tuple(origin.field for origin in fields), origin=source)
        for source, fields in groupby(origins, key=lambda origin: origin.origin)
    )
