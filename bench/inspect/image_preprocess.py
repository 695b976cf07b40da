"""Which input of a model takes images, how an image becomes its values, and what to type for the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.bundle.found_preprocessing import find_preprocess
from bench.bundle.joined_preprocessing import Found, ImageInput
from bench.bundle.model_files import ModelFile
from bench.bundle.onnx_graph import read_onnx_graph
from bench.bundle.sidecar import SidecarPreprocess, find_sidecar, read_sidecar
from bench.bundle.signature import Tensor
from bench.inspect.inspection import FieldSource, InspectedClasses, InspectedPreprocess
from bench.runtimes.formats import FORMATS

_IMAGE_AXES = 4
_LAYOUT = "layout"
# What is written most often, by the missing key. It is to be replaced by what the network was trained with.
_EXAMPLE = {
    "input_size": ["input_size: [3, 224, 224]"],
    "resize": ["resize: crop", "crop_pct: 0.875", "interpolation: bilinear"],
    "mean": ["mean: [0.485, 0.456, 0.406]", "std: [0.229, 0.224, 0.225]"],
}
_GREY_EXAMPLE = {
    **_EXAMPLE,
    "input_size": ["input_size: [1, 224, 224]"],
    "mean": ["mean: [0.5]", "std: [0.5]"],
}


@dataclass(frozen=True)
class FoundForInput:
    """What was found of the preprocessing of one input."""

    tensor: Tensor | None
    """The input that takes images; None if there is none."""
    found: Found
    """What was found."""
    is_grey: bool
    """Whether the input has one channel."""
    has_layout: bool
    """Whether the order of its axes is known."""


def find_image_preprocess(file: ModelFile, inputs: Sequence[Tensor]) -> FoundForInput:
    """Find the preprocessing of the input that takes images; raises InputError for a malformed source."""
    metadata = read_onnx_graph(file.path).metadata if file.format == "onnx" else {}
    tensor = _image_tensor(file, inputs)
    image_input = _image_input(file, tensor)
    sidecar = find_sidecar(file.path)
    layout = image_input.layout or (None if sidecar is None else read_sidecar(sidecar).input.layout)
    return FoundForInput(
        tensor=tensor,
        found=find_preprocess(file.path, metadata, image_input),
        is_grey=image_input.channels == 1,
        has_layout=layout is not None,
    )


def _image_tensor(file: ModelFile, inputs: Sequence[Tensor]) -> Tensor | None:
    """Return the input that a sidecar names, else the first that can take images."""
    sidecar = find_sidecar(file.path)
    named = None if sidecar is None else read_sidecar(sidecar).input.name
    images = [tensor for tensor in inputs if _can_take_images(tensor)]
    chosen = [tensor for tensor in images if tensor.name == named]
    chosen += [tensor for tensor in images if tensor.layout is not None]
    return next(iter([*chosen, *images]), None)


def _can_take_images(tensor: Tensor) -> bool:
    """Whether an axis has one or three channels, or is open."""
    if tensor.shape is None:
        return True
    return len(tensor.shape) == _IMAGE_AXES and any(
        isinstance(tensor.shape[axis], str) or tensor.shape[axis] in (1, 3) for axis in (1, 3)
    )


def _image_input(file: ModelFile, tensor: Tensor | None) -> ImageInput:
    if tensor is None:
        return ImageInput(shape=(), dtype="", layout=None)
    is_nchw = tensor.layout is None and FORMATS[file.format].is_channels_first
    layout = "NCHW" if is_nchw else tensor.layout
    shape = tensor.shape if tensor.shape is not None else ("?",) * _IMAGE_AXES
    return ImageInput(shape, tensor.dtype, layout, tensor.quantisation)


def preprocess_of(found: FoundForInput) -> InspectedPreprocess:
    """Return what was found, with what to type for the rest."""
    needs_layout = found.tensor is not None and not found.has_layout
    missing = (*((_LAYOUT,) if needs_layout else ()), *found.found.missing)
    return InspectedPreprocess(
        input=None if found.tensor is None else found.tensor.name,
        values=_values(found.found),
        channels=found.found.channels,
        sources=tuple(
            FieldSource(field=origin.field, source=origin.origin) for origin in found.found.origins
        ),
        missing=missing,
        remedy=remedy_for(missing, found.is_grey) if missing else None,
        conflicts=found.found.conflicts,
    )


def classes_of(found: FoundForInput) -> InspectedClasses | None:
    """Return the class names and where they were found."""
    labels, origin = found.found.labels, found.found.labels_origin
    return None if labels is None or origin is None else InspectedClasses(names=labels, source=origin)


def _values(found: Found) -> SidecarPreprocess:
    """Return the parts that were found, as `edgefit.yaml` has them."""
    geometry, numbers = found.geometry, found.numbers
    channels = None if found.channels is None else 1 if found.channels == "grey" else 3
    return SidecarPreprocess(
        input_size=None if found.size is None or channels is None else (channels, *found.size),
        sixteen_bit_white=found.white,
        resize=None if geometry is None else geometry.resize,
        crop_pct=None if geometry is None else geometry.crop_pct,
        interpolation=None if geometry is None else geometry.interpolation,
        antialias=None if geometry is None else geometry.antialias,
        pad_value=None if geometry is None else geometry.pad_value,
        scale=None if numbers is None else numbers.scale,
        mean=None if numbers is None else numbers.mean,
        std=None if numbers is None else numbers.std,
    )


def remedy_for(missing: Sequence[str], is_grey: bool) -> str:
    """Return lines of `edgefit.yaml` that state the missing keys, with the usual values."""
    has_layout = _LAYOUT not in missing
    wanted = missing if has_layout else (*missing, "channels", *_EXAMPLE)
    example = _GREY_EXAMPLE if is_grey else _EXAMPLE
    inputs = [] if has_layout else ["layout: NCHW"]
    inputs += [f"channels: {'grey' if is_grey else 'rgb'}"] if "channels" in wanted else []
    keys = [line for key, lines in example.items() if key in wanted for line in lines]
    return "\n".join([*_block("input", inputs), *_block("preprocess", keys)])


def _block(name: str, lines: Sequence[str]) -> list[str]:
    return [f"{name}:", *(f"  {line}" for line in lines)] if lines else []
