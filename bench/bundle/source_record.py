"""What a bundle was made from, where it was no run folder: a network in Python, or somebody's model file.

It knows names and figures, and opens nothing.
"""

from enum import Enum
from typing import Literal

from pydantic import Field

from bench.bundle.model_set import InputOrigin
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Signature
from bench.record import Record
from device_profiles.part import Text

OutputKind = Literal["classes", "labels", "values"]
Activation = Literal["logits", "softmax", "sigmoid", "none"]


class SourceKind(str, Enum):
    """What an export starts from."""

    RUN = "run folder"
    TORCHVISION = "torchvision"
    TIMM = "timm"
    FUNCTION = "Python function"
    PROGRAM = "torch program"
    ONNX = "ONNX file"
    OPENVINO = "OpenVINO file"
    TORCHSCRIPT = "TorchScript file"
    LITERT = "LiteRT file"


class OutputRecord(Record):
    """The output of a source that is judged."""

    name: str
    """Its name in the source."""
    index: int = Field(ge=0)
    """Its number among the outputs, from 0."""
    kind: OutputKind
    """What it holds: `classes`, a score for each of several classes that exclude each other, or one score for
    two; `labels`, a score for each of several labels that do not; `values`, anything else."""
    activation: Activation
    """What the scores are; `none` for values."""
    quantisation: Quantisation | None = None
    """How integers stand for the scores or values; null where the source gives floats."""


RivalVerdict = Literal["worse", "equal", "better"]


class RivalRecord(Record):
    """Another way to prepare an image."""

    name: str
    """The way in words, such as `values from 0 to 255`."""
    correct: int = Field(ge=0)
    """How many decisions of the source are right with it: of images, or of their labels."""
    parts: int = Field(default=1, ge=1)
    """In how many parts it differs from the stated preprocessing: values, order of channels, resizing."""
    verdict: RivalVerdict
    """Whether the difference from the stated preprocessing is significant; `equal` where it is not."""


class PreprocessCheck(Record):
    """How the stated preprocessing was checked: against rivals, on labelled samples."""

    images: int = Field(ge=1)
    """On how many labelled images."""
    correct: int = Field(ge=0)
    """How many decisions of the source are right with the stated preprocessing."""
    decisions_each: int = Field(default=1, ge=1)
    """How many decisions the source makes for an image: 1, or one for each of several labels."""
    rivals: tuple[RivalRecord, ...]
    """The other ways to prepare an image that were tried."""
    fitting_order: tuple[int, ...] | None = None
    """For each of the source's classes, the class of the labels that its answers fit; null where they fit the
    classes in the given order, or where that is not clear."""
    trusted: bool = False
    """Whether a rival, or another order of the classes, was significantly better and the user went on with
    `--trust-preprocess`."""

    def worth_showing(self, verdict: RivalVerdict) -> tuple[RivalRecord, ...]:
        """Return the rivals of a verdict; unless they are better, only those that differ in one part."""
        rivals = (rival for rival in self.rivals if rival.verdict == verdict)
        return tuple(rival for rival in rivals if verdict == "better" or rival.parts == 1)


class SourceRecord(Record):
    """What the artifacts were made from, where it was no run folder."""

    kind: SourceKind = Field(strict=False)
    """The kind of source."""
    name: Text
    """The source as it was typed; of a file its name."""
    sha256: str | None
    """SHA-256 of the file, or of the file with the weights; null where there is none. Of weights in several
    files it is that of their own hashes, in hexadecimal, one after the other."""
    weights_notes: tuple[str, ...] = ()
    """What of the file with the weights was used, and what was changed, such as prefixes of names."""
    variant: str | None
    """The variant that is the user's own file, unchanged; null where there is none."""
    signature: Signature
    """Its inputs, with fixed shapes, and its outputs."""
    output: OutputRecord
    """The output that is judged."""
    origins: tuple[InputOrigin, ...] = ()
    """Where each part of the preprocessing came from; empty where the inputs are no images."""
    check: PreprocessCheck | None = None
    """How the preprocessing was checked; null where there are no labelled images."""
