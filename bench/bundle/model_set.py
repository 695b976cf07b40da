"""The records of model files that are measured without a bundle, and of their inputs."""

import hashlib

from pydantic import Field

from bench.bundle.signature import Signature, Tensor
from bench.bundle.variants import Precision
from bench.record import Record

RANDOM_VALUES = "random values"
"""The source of inputs that nobody gave."""


class InputsRecord(Record):
    """The inputs that a model file was run with."""

    source: str
    """Where they come from: `random values`, or the data that was named."""
    inferences: int = Field(ge=1)
    """For how many inferences there are inputs; timing repeats them."""
    sha256: str
    """SHA-256 of the file that holds them. Outputs of two files are compared only if it is the same."""


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


class ModelSetRecord(Record):
    """The model files of one run."""

    models: tuple[ModelFileRecord, ...] = Field(min_length=1)
    """The files, in the order in which they were given."""

    @property
    def sha256(self) -> str:
        """One hash for all files and their inputs."""
        parts = [(model.sha256, model.values.sha256) for model in self.models]
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    @property
    def name(self) -> str:
        """The names of the files."""
        return ", ".join(model.name for model in self.models)
