"""What `edgefit inspect` says of a model file: one record, as `--json` prints it."""

from typing import Literal

from pydantic import Field

from bench.bundle.input_preprocessing import ChannelOrder
from bench.bundle.model_graph import ModelGraph
from bench.bundle.sidecar import SidecarPreprocess
from bench.bundle.signature import Tensor
from bench.record import Record


class InspectedTensor(Tensor):
    """One input or output, with the order of its axes."""

    axes: Literal["NCHW", "NHWC"] | None
    """The order of an image's axes; null if it is no image, or if the order is unclear."""


class FieldSource(Record):
    """Where one key of the preprocessing was found."""

    field: str
    """The key."""
    source: str
    """A file's name, `metadata in the file`, `the shape`, `the usual order`."""


class InspectedPreprocess(Record):
    """What was found of the preprocessing, in the files beside the model, in the file and in its input."""

    input: str | None
    """The name of the input that takes images; null if there is none."""
    values: SidecarPreprocess
    """The keys that were found, as `edgefit.yaml` has them; null for each other one."""
    channels: ChannelOrder | None
    """The order of the channels: `rgb`, `bgr` or `grey`; null if it is not known."""
    sources: tuple[FieldSource, ...]
    """Where each key was found, also if others are missing."""
    missing: tuple[str, ...]
    """The keys that nothing states."""
    remedy: str | None
    """What to write into `edgefit.yaml` for the missing keys, as an example; null if none is missing."""
    conflicts: tuple[str, ...]
    """What contradicts a value that is used, or cannot be followed: sentences."""


class InspectedClasses(Record):
    """The names of the classes."""

    names: tuple[str, ...]
    """The names, in the order of the output."""
    source: str
    """Where they were found."""


class ModelInspection(Record):
    """All that is known of a model file without measuring it."""

    path: str
    """The file."""
    format: str
    """Its format: `onnx`, `openvino`, `torchscript` or `ncnn`."""
    size_bytes: int = Field(ge=0)
    """The size of all its files."""
    sha256: str
    """SHA-256 of its content, and of the files that belong to it."""
    inputs: tuple[InspectedTensor, ...]
    """Its inputs as the file states them."""
    outputs: tuple[InspectedTensor, ...]
    """Its outputs as the file states them; empty for a format that states none."""
    graph: ModelGraph
    """Its operators, weights and precision, as the file has them."""
    macs: int | None
    """The multiply-accumulates of one inference; null if they are not known."""
    macs_missing: str | None
    """Why they are not known, or not all, and what to do; null if all are known."""
    preprocess: InspectedPreprocess
    """How an image becomes its input."""
    classes: InspectedClasses | None
    """Its class names; null if nothing states them."""
    written_to: str | None = None
    """The `edgefit.yaml` that was written; null without `--write`."""
