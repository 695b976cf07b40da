"""Which source an export starts from, as workers are told. It opens nothing."""

from pydantic import Field

from bench.bundle.input_preprocessing import ChannelOrder, Interpolation, Resize
from bench.bundle.signature import Signature, Tensor
from bench.bundle.source_record import OutputRecord, SourceKind
from bench.bundle.variants import Precision
from bench.record import Record


class SourceSpec(Record):
    """A source: where it is, and nothing that has to be read from it."""

    kind: SourceKind = Field(strict=False)
    """The kind of source."""
    name: str
    """What to open: an absolute path of a folder or file; `torchvision/NAME`, `timm/NAME`,
    `package.module:function`."""
    weights: str | None = None
    """The absolute path of a file with weights; null: those that the source has by itself."""
    folder: str | None = None
    """The folder in which a user's own package is looked for; null for other kinds."""


class StatedShape(Record):
    """What a person stated of an input with `--shape`."""

    name: str
    """The input's name; empty for the only input."""
    shape: tuple[int, ...]
    """The size on each axis."""
    dtype: str | None = None
    """The type of its elements; null: the source's own, or float32."""


class StatedPreprocess(Record):
    """What the library of a network states of preprocessing; whatever it does not state is null."""

    origin: str
    """Where it is stated, in words: `timm's config of resnet18`."""
    size: tuple[int, int] | None = None
    """Height and width of the input in pixels."""
    resize: Resize | None = None
    """How an image gets the size."""
    crop_pct: float | None = None
    """The input's edge ÷ the edge to which an image is resized before its middle is cut out."""
    interpolation: Interpolation | None = None
    """How pixels are interpolated, by Pillow's names."""
    scale: float | None = None
    """By what each 8-bit value is multiplied first."""
    mean: tuple[float, ...] | None = None
    """What is then subtracted from each channel."""
    std: tuple[float, ...] | None = None
    """By what each channel is then divided."""
    channels: ChannelOrder | None = None
    """The order of the channels."""


class DescribedWeights(Record):
    """The file with the weights of a network in Python."""

    sha256: str
    """SHA-256 of the file; of several files that of their hashes."""
    notes: tuple[str, ...] = ()
    """What of the file was used, and what was changed, in sentences."""


class SourceDescription(Record):
    """What a source takes and gives."""

    signature: Signature
    """Its inputs, with fixed shapes, and its outputs."""
    precision: Precision = Field(strict=False)
    """By its own graph; fp32 for a network in Python."""
    producer: str
    """Who wrote the file, or which library has the network: `pytorch 2.13.0`, `torchvision 0.28.0`."""
    opset: int | None = None
    """The version of the operator set of an ONNX file; null for every other source."""
    stated: StatedPreprocess | None = None
    """The preprocessing that the network's library states; null for other sources."""
    weights: DescribedWeights | None = None
    """The weights that were read from a file; null where the source has them by itself."""


class OpenSource(Record):
    """A source with everything that a worker needs to run it."""

    spec: SourceSpec
    """Where it is."""
    inputs: tuple[Tensor, ...]
    """The inputs of one inference, with fixed shapes."""
    outputs: tuple[Tensor, ...]
    """Its outputs."""
    output: OutputRecord
    """The output that is judged."""
    producer: str
    """Who wrote it."""
    opset: int | None = None
    """The version of the operator set of an ONNX file; null for every other source."""
