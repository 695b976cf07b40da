"""Reads the weights of a network in Python, and loads them into it. It runs no code of a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from bench.errors import InputError
from models.checkpoints.fitting import COUNTER, fit
from models.checkpoints.reading import read_checkpoint
from models.errors import InputError as ModelsInputError

_MOST_NAMED = 3


@dataclass(frozen=True)
class Weights:
    """The weights of a file."""

    path: Path
    """The file."""
    tensors: Mapping[str, Tensor]
    """The weights by the network's names."""
    sha256: str
    """SHA-256 of the file; of several files that of their hashes."""
    notes: tuple[str, ...] = ()
    """What of the file was used, and what was changed, in sentences."""


def read_weights(path: Path, network: nn.Module) -> Weights:
    """Read a checkpoint, and choose what is the network's. Raises InputError if it holds no weights.

    Whether the weights are all that the network needs is not known here: `load_into` says so.
    """
    try:
        checkpoint = read_checkpoint(path)
        found = fit(checkpoint, network.state_dict())
    except ModelsInputError as error:
        raise InputError(str(error)) from error
    return Weights(path, found.tensors, checkpoint.sha256, found.notes)


def load_into(network: nn.Module, weights: Weights, source: str) -> None:
    """Load weights into a network. Raises InputError, with the first names, if they are not its own."""
    own, tensors = network.state_dict(), weights.tensors
    problems = (
        _named("misses", [name for name in own if name not in tensors and not name.endswith(COUNTER)]),
        _named("has too much", [name for name in tensors if name not in own]),
        _named(
            "has other shapes for",
            [
                f"{name} {list(tensors[name].shape)} instead of {list(value.shape)}"
                for name, value in own.items()
                if name in tensors and tensors[name].shape != value.shape
            ],
        ),
    )
    stated = "; ".join(problem for problem in problems if problem)
    if stated:
        raise InputError(
            f"{weights.path}: does not fit {source}: it {stated}; give the weights of this very network, "
            "name the network that they belong to, or state the --shape that they were trained for"
        )
    network.load_state_dict(tensors, strict=False)


def _named(what: str, names: list[str]) -> str | None:
    if not names:
        return None
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{what} {', '.join(names[:_MOST_NAMED])}{more}"
