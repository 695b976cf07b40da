"""Finds how images become the input of a source of any kind. It knows beside which file others are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from bench.bundle.input_preprocessing import UNIT_SCALE, ChannelOrder, Interpolation, Resize
from bench.bundle.required_preprocessing import (
    PreprocessSources,
    RequiredPreprocess,
    only_input,
    require_preprocess,
    stated_by_option,
)
from bench.bundle.source_record import SourceKind
from bench.bundle.stated_preprocessing import Geometry, Numbers, Stated
from export.sources.spec import SourceDescription, SourceSpec

_FORMATS = {
    SourceKind.ONNX: "onnx",
    SourceKind.OPENVINO: "openvino",
    SourceKind.TORCHSCRIPT: "torchscript",
}
_WITH_DEFAULTS = ("crop_pct", "interpolation", "scale")
_FILES = (*_FORMATS, SourceKind.PROGRAM)


def find_for_source(
    spec: SourceSpec,
    description: SourceDescription,
    option: str | None,
    stated: Sequence[Stated] = (),
) -> RequiredPreprocess:
    """Return how images become a source's input: as `--preprocess` says, then files beside the source or its
    weights, then the file itself, then what its library says (`stated`), then the shape.

    Raises InputError if it takes no images or has several inputs, if one of these is malformed, and, with
    what to type, if nothing states a part.
    """
    name = Path(spec.name).name if spec.kind in _FILES else spec.name
    tensor = only_input(name, description.signature.inputs)
    sources = PreprocessSources(
        path=_file_of(spec),
        format=_FORMATS.get(spec.kind),
        first=stated_by_option(option),
        last=tuple(stated),
    )
    return require_preprocess(name, tensor, sources)


class LibraryPreprocess(Protocol):
    """What the library of a network states of preprocessing; whatever it does not state is None."""

    @property
    def origin(self) -> str:
        """Where it is stated, in words."""

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width of the input in pixels."""

    @property
    def resize(self) -> Resize | None:
        """How an image gets the size."""

    @property
    def crop_pct(self) -> float | None:
        """The input's edge ÷ the edge to which an image is resized before its middle is cut out."""

    @property
    def interpolation(self) -> Interpolation | None:
        """How pixels are interpolated."""

    @property
    def scale(self) -> float | None:
        """By what each 8-bit value is multiplied first."""

    @property
    def mean(self) -> tuple[float, ...] | None:
        """What is then subtracted from each channel."""

    @property
    def std(self) -> tuple[float, ...] | None:
        """By what each channel is then divided."""

    @property
    def channels(self) -> ChannelOrder | None:
        """The order of the channels."""


def stated_by_library(library: LibraryPreprocess) -> Stated:
    """Return what a library states as a source of preprocessing."""
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
