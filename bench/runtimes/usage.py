"""What there is to say of how a runtime is used in a few lines of Python, for the example of `choose --ship`.

It knows no format: each row has a function of its own that makes a Usage of how the artifact ran.
"""

from dataclasses import dataclass

from bench.bundle.signature import Tensor
from bench.bundle.variants import Precision


@dataclass(frozen=True)
class RanAs:
    """How an artifact ran when it was measured; the example has to run it in the same way."""

    provider: str
    """Where it ran, by the runtime's own name."""
    place: str
    """The same in words for all runtimes: cpu, cuda, gpu."""
    threads: int
    """On how many threads."""
    precision: Precision
    """The artifact's precision."""
    engine: str | None
    """The quantised engine that it was made for, see ArtifactRecord; None if it was made for none."""
    in_half: bool
    """Whether most of the arithmetic ran in half precision."""
    inputs: tuple[Tensor, ...]
    """What one inference takes, with fixed shapes."""
    gives_one_tensor: bool
    """Whether an inference gives one tensor; else there may be several, in a tuple, list or dictionary."""

    @property
    def is_quantised(self) -> bool:
        """Whether it is int8."""
        return self.precision is Precision.INT8


@dataclass(frozen=True)
class Usage:
    """The lines of Python that use a runtime; `HERE / ENTRY` is the artifact's entry file."""

    package: str
    """What pip installs for it."""
    imports: str
    """The lines that import it."""
    load: str
    """The lines that load the artifact."""
    infer: str
    """The lines that set `outputs` from `inputs`, a list of arrays. Both are in the model's order, and an
    output is found by its number."""
