"""Finds how images become the input of a source of any kind. It knows beside which file others are read."""

from pathlib import Path

from bench.bundle.required_preprocessing import (
    PreprocessSources,
    RequiredPreprocess,
    only_input,
    require_preprocess,
    stated_by_option,
)
from bench.bundle.source_record import SourceKind
from bench.bundle.stated_preprocessing import Geometry, Numbers, Stated
from export.sources.spec import SourceDescription, SourceSpec, StatedPreprocess

_FORMATS = {
    SourceKind.ONNX: "onnx",
    SourceKind.OPENVINO: "openvino",
    SourceKind.TORCHSCRIPT: "torchscript",
}
_FILES = (*_FORMATS, SourceKind.PROGRAM)


def find_for_source(
    spec: SourceSpec,
    description: SourceDescription,
    option: str | None,
) -> RequiredPreprocess:
    """Return how images become a source's input: as `--preprocess` says, then files beside the source or its
    weights, then the file itself, then what its library says, then the shape.

    Raises InputError if it takes no images or has several inputs, if one of these is malformed, and, with
    what to type, if nothing states a part.
    """
    name = Path(spec.name).name if spec.kind in _FILES else spec.name
    tensor = only_input(name, description.signature.inputs)
    sources = PreprocessSources(
        path=_file_of(spec),
        format=_FORMATS.get(spec.kind),
        first=stated_by_option(option),
        last=() if description.stated is None else (_of_library(description.stated),),
    )
    return require_preprocess(name, tensor, sources)


def _of_library(library: StatedPreprocess) -> Stated:
    """Return what a network's library states; what has parts that belong together only if it states all."""
    geometry, numbers = None, None
    if library.resize is not None:
        geometry = Geometry(
            library.resize,
            crop_pct=library.crop_pct or 1.0,
            interpolation=library.interpolation or "bilinear",
        )
    if library.scale is not None and library.mean is not None and library.std is not None:
        numbers = Numbers(library.scale, library.mean, library.std)
    return Stated(
        library.origin, size=library.size, geometry=geometry, numbers=numbers, channels=library.channels
    )


def _file_of(spec: SourceSpec) -> Path | None:
    """Return the file beside which others are read."""
    if spec.weights is not None:
        return Path(spec.weights)
    return Path(spec.name) if spec.kind in _FILES else None
