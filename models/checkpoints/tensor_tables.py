"""Finds the tables of tensors by name in what a checkpoint holds. It knows no network and reads no file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from models.checkpoints.numpy_values import PlainArray

_DEEPEST = 4
_OF_OPTIMISERS = "param_groups"


@dataclass(frozen=True)
class TensorTable:
    """Tensors by name, somewhere in a checkpoint."""

    keys: tuple[str | int, ...]
    """The keys, or places in lists, under which it lies, the outermost first; empty if the file holds nothing
    else."""
    tensors: Mapping[str, Tensor]
    """The tensors."""

    @property
    def name(self) -> str:
        """Its keys, for sentences; empty without any."""
        return "/".join(map(str, self.keys))


def tables_in(content: object) -> tuple[TensorTable, ...]:
    """Return all tables, but not the state of optimisers."""
    return tuple(_tables(content, (), _DEEPEST))


def _tables(content: object, keys: tuple[str | int, ...], depth: int) -> Iterator[TensorTable]:
    if isinstance(content, list | tuple):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping) or _OF_OPTIMISERS in content:
        return
    tensors = {
        name: tensor
        for name, value in content.items()
        if isinstance(name, str) and (tensor := _tensor(value)) is not None
    }
    if tensors:
        yield TensorTable(keys, tensors)
    if depth:
        for key, value in content.items():
            yield from _tables(value, (*keys, key if isinstance(key, int) else str(key)), depth - 1)


def _tensor(value: object) -> Tensor | None:
    if isinstance(value, PlainArray) and value.values.dtype.kind in "biuf":
        native = value.values.astype(value.values.dtype.newbyteorder("="))
        return torch.from_numpy(native)
    return value if isinstance(value, Tensor) else None


# What stands in the name of a table or prefix, and how much it is to be preferred: averaged weights are those
# that were evaluated, and of two networks trained with each other one is the network.
_RANKS = (
    (0, ("ema", "best", "averaged", "average", "swa", "shadow", "teacher")),
    (2, ("student", "momentum", "key", "encoder_k", "target", "last")),
)
_USUAL_RANK = 1


def rank_of(name: str) -> int:
    """Return how much a table or prefix is to be preferred, by its name; a lower number first."""
    words = name.lower().replace("/", ".").split(".")
    words += [part for word in words for part in word.split("_")]
    return next((rank for rank, marks in _RANKS if set(marks) & set(words)), _USUAL_RANK)
