"""Finds how images become the input of a source of any kind. It knows beside which file others are read."""

from pathlib import Path

from bench.bundle.input_preprocessing import UNIT_SCALE
from bench.bundle.required_preprocessing import (
    PreprocessSources,
    RequiredPreprocess,
    only_input,
    require_preprocess,
    stated_by_option,
)
from bench.bundle.source_record import SourceKind
from bench.bundle.stated_preprocessing import Geometry, Numbers, Stated
from export.sources.file_formats import FORMAT_OF
from export.sources.spec import SourceDescription, SourceSpec, StatedPreprocess

_WITH_DEFAULTS = ("crop_pct", "interpolation", "scale")
_FILES = (*FORMAT_OF, SourceKind.PROGRAM)


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
        format=FORMAT_OF.get(spec.kind),
        first=stated_by_option(option),
        last=() if description.stated is None else (_of_library(description.stated),),
    )
    return require_preprocess(name, tensor, sources)


def _of_library(library: StatedPreprocess) -> Stated:
    """Return what a network's library states as a source of preprocessing."""
    numbers = geometry = None
    if library.mean is not None and library.std is not None:
        numbers = Numbers(library.scale or UNIT_SCALE, library.mean, library.std)
    if library.resize is not None:
        geometry = Geometry(library.resize, library.crop_pct or 1.0, library.interpolation or "bilinear")
    return Stated(
        origin=library.origin,
        size=library.size,
        geometry=geometry,
        numbers=numbers,
        channels=library.channels,
        defaulted=tuple(key for key in _WITH_DEFAULTS if getattr(library, key) is None),
    )


def _file_of(spec: SourceSpec) -> Path | None:
    """Return the file beside which others are read."""
    if spec.weights is not None:
        return Path(spec.weights)
    return Path(spec.name) if spec.kind in _FILES else None
