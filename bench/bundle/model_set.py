"""The records of model files that are measured without a bundle, and of their inputs."""

import hashlib
from collections.abc import Mapping, Sequence

from pydantic import Field

from bench.bundle.signature import Signature, Tensor
from bench.bundle.variants import Precision
from bench.lists_in_words import some_of
from bench.record import Record

RANDOM_VALUES = "random values"
"""The source of inputs that nobody gave."""


class InputOrigin(Record):
    """Where parts of the preprocessing came from."""

    keys: tuple[str, ...]
    """The parts, by the keys of `edgefit.yaml`."""
    origin: str
    """The source: a file's name, `metadata in the file`, `the shape`, an option."""


# The parts of a preprocessing, by the key that says most about each; the others are its details.
_PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "input_size": ("size", ()),
    "resize": ("resize", ("crop_pct", "interpolation", "antialias", "pad_value")),
    "mean": ("values", ("scale", "std")),
    "channels": ("channels", ()),
    "sixteen_bit_white": ("white", ()),
}


def with_origins(words: str, origins: Sequence[InputOrigin]) -> str:
    """Return how an image becomes an input, with where that was stated."""
    keys: dict[str, list[str]] = {}
    for origin in origins:
        keys.setdefault(origin.origin, []).extend(origin.keys)
    stated = "; ".join(f"{_parts_in_words(own)} from {origin}" for origin, own in keys.items())
    return f"{words} ({stated})" if stated else words


def _parts_in_words(keys: Sequence[str]) -> str:
    """Return the parts that keys belong to; details alone are named by their keys."""
    parts: list[str] = []
    for lead, (name, details) in _PARTS.items():
        parts += [name] if lead in keys else [key for key in details if key in keys]
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


class InputsRecord(Record):
    """The inputs that a model file was run with."""

    source: str
    """Where they come from: `random values`, or the data that was named."""
    inferences: int = Field(ge=1)
    """For how many inferences there are inputs; timing repeats them."""
    sha256: str
    """SHA-256 of the file that holds them."""
    data_sha256: str | None = None
    """SHA-256 of the data that they were made from; null for random values."""
    preprocessing: str | None = None
    """How an image became an input, in words; null where the inputs are no images."""
    origins: tuple[InputOrigin, ...] = ()
    """Where the preprocessing came from; empty where the inputs are no images."""

    @property
    def preparation_words(self) -> str | None:
        """How an image became an input and where that was stated, for people; None where there are none."""
        return None if self.preprocessing is None else with_origins(self.preprocessing, self.origins)

    @property
    def comparable_sha256(self) -> str:
        """The hash by which inputs of two files count as the same, though their arrays may differ.

        One may take an image as uint8, the other as normalised floats.
        """
        return self.sha256 if self.data_sha256 is None else self.data_sha256

    @property
    def is_random(self) -> bool:
        """Whether the inputs are random values."""
        return self.source == RANDOM_VALUES

    @property
    def words(self) -> str:
        """How many inputs there are, and of which kind: `128 random inputs`."""
        noun = "input" if self.inferences == 1 else "inputs"
        return (
            f"{self.inferences} random {noun}"
            if self.is_random
            else f"{self.inferences} {noun} of {self.source}"
        )


class NetworkCounts(Record):
    """What was counted in a network's graph, before a runtime optimises it."""

    file: str
    """The file or variant in which it was counted."""
    parameters: int | None
    """The number of its weights; null if that is not known."""
    macs: int | None
    """The multiply-accumulates of one inference; null if they are not known."""
    uncounted: tuple[str, ...] = ()
    """The kinds of operators whose multiply-accumulates are missing in `macs`."""
    missing: str | None = None
    """Why nothing was counted; null if something was."""


class ModelFileRecord(Record):
    """A model file that was measured."""

    name: str
    """What its row is called: the file's name, with as many folders as make it unique."""
    path: str
    """Where it lay when it was measured."""
    format: str
    """Its format."""
    precision: Precision = Field(strict=False)
    """Its precision by its own graph."""
    sha256: str
    """SHA-256 of its content, and of the files that belong to it."""
    size_bytes: int = Field(ge=0)
    """The size of all its files."""
    signature: Signature
    """Its inputs and outputs as the file states them."""
    inputs: tuple[Tensor, ...]
    """The inputs that it was measured with: every axis has a size."""
    values: InputsRecord
    """The values of these inputs."""
    counts: NetworkCounts | None = None
    """Its weights and multiply-accumulates; null unless it was compared with other networks."""


class ModelSetRecord(Record):
    """The model files of one run."""

    models: tuple[ModelFileRecord, ...] = Field(min_length=1)
    """The files, in the order in which they were given."""
    judged_output: str | None = None
    """The only output that is judged; null where all of them are."""

    @property
    def sha256(self) -> str:
        """One hash for all files and their inputs."""
        parts = [(model.sha256, model.values.sha256) for model in self.models]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def shown_sha256(self) -> str:
        """The hash to show: of a single file its own, by which it can be found."""
        return self.models[0].sha256 if len(self.models) == 1 else self.sha256

    @property
    def name(self) -> str:
        """The names of the files; of more than three the first two and a count."""
        return some_of([model.name for model in self.models])
