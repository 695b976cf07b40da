"""Chooses which tensors of a checkpoint are a network's, and removes what was put before their names.

The network's own names decide: a prefix is whatever stands before most of them, be it of DataParallel,
torch.compile, Lightning or somebody's own class. Every choice is a sentence.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from models.checkpoints.reading import Checkpoint, line_to_keep
from models.checkpoints.tensor_tables import TensorTable, rank_of
from models.errors import InputError

COUNTER = "num_batches_tracked"
"""A count of training steps, which nothing reads in a network that is only run."""
_PROFILERS = ("total_ops", "total_params")  # thop leaves its counts in the state dict
_MOST_NAMED = 3
_FLOATS = "save the network's state_dict() as floats (torch.float32)"


@dataclass(frozen=True)
class Fit:
    """The tensors of a checkpoint that are a network's."""

    tensors: Mapping[str, Tensor]
    """By the network's names, in float32; with them those that only look like it, with other names."""
    notes: tuple[str, ...]
    """What was chosen, removed and left out, in sentences."""


@dataclass(frozen=True)
class _Candidate:
    """A table with a prefix, and how well it fits."""

    table: TensorTable
    prefix: str
    names: int
    """How many of the network's names it has."""
    shapes: int
    """How many of them have the network's shapes."""

    @property
    def name(self) -> str:
        """What it is called in the file, for sentences."""
        keys = self.table.name
        return f"{keys}/{self.prefix}" if keys and self.prefix else keys or self.prefix

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Its tensors, without the prefix."""
        return {
            name.removeprefix(self.prefix): value
            for name, value in self.table.tensors.items()
            if name.startswith(self.prefix)
        }


def fit(
    checkpoint: Checkpoint, own: Mapping[str, Tensor], own_name: Callable[[str], str] = lambda name: name
) -> Fit:
    """Return the tensors that fit a network best; `own`: its own ones, `own_name`: their names in it.

    Raises InputError if two networks in the file fit equally well, and for tensors that hold no values.
    """
    outer = _common_prefix(list(own))
    inner = {name.removeprefix(outer): value for name, value in own.items()}
    chosen, others = _choose(checkpoint, inner, own_name, outer)
    tensors = {name: value for name, value in chosen.tensors.items() if not name.endswith(_PROFILERS)}
    for name, value in tensors.items():
        if own_name(name) in inner:
            _refuse_no_numbers(checkpoint.path, f"{chosen.prefix}{name}", value, inner[own_name(name)])
    return Fit(
        {f"{outer}{name}": value.float() if _is_float(value) else value for name, value in tensors.items()},
        (*checkpoint.notes, *_notes(chosen, others, tensors, outer)),
    )


def _common_prefix(names: Sequence[str]) -> str:
    """Return the parts, with their dots, with which all names begin: those of a wrapper."""
    if not names:
        return ""
    parts = [name.split(".")[:-1] for name in names]
    common = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        common.append(f"{column[0]}.")
    return "".join(common)


def _choose(
    checkpoint: Checkpoint, own: Mapping[str, Tensor], own_name: Callable[[str], str], outer: str
) -> tuple[_Candidate, list[_Candidate]]:
    """Return the best candidate, and those that might have been meant instead."""
    candidates = [candidate for table in checkpoint.tables for candidate in _candidates(table, own, own_name)]
    best = max(candidates, key=_fitness, default=None)
    wanted = sum(1 for name in own if not name.endswith(COUNTER))
    largest = max(checkpoint.tables, key=lambda table: len(table.tensors))
    if best is None or (best.prefix not in ("", outer) and 2 * best.names < wanted):
        has_outer = all(name.startswith(outer) for name in largest.tensors)
        return _Candidate(largest, outer if has_outer else "", 0, 0), []
    equal = [candidate for candidate in candidates if _fitness(candidate) == _fitness(best)]
    first = _first(checkpoint, equal, outer)
    rivals = [other for other in candidates if other is not first and 2 * other.names >= best.names]
    return first, rivals


def _fitness(candidate: _Candidate) -> tuple[int, int]:
    return candidate.names, candidate.shapes


def _candidates(
    table: TensorTable, own: Mapping[str, Tensor], own_name: Callable[[str], str]
) -> Iterator[_Candidate]:
    names, shapes = Counter[str](), Counter[str]()
    for name, value in table.tensors.items():
        for prefix, rest in _divisions(name):
            other = own.get(own_name(rest))
            if other is not None and not rest.endswith(COUNTER):
                names[prefix] += 1
                shapes[prefix] += other.shape == value.shape
    for prefix, count in names.items():
        yield _Candidate(table, prefix, count, shapes[prefix])


def _divisions(name: str) -> Iterator[tuple[str, str]]:
    """Yield each way to divide a name at a dot into a prefix and the rest."""
    parts = name.split(".")
    for count in range(len(parts)):
        rest = ".".join(parts[count:])
        yield name.removesuffix(rest), rest


def _first(checkpoint: Checkpoint, equal: Sequence[_Candidate], outer: str) -> _Candidate:
    """Return the preferred one of candidates that fit equally well. Raises InputError if none is."""

    def preference(candidate: _Candidate) -> tuple[int, bool]:
        return rank_of(candidate.name), candidate.prefix != outer

    first, *rest = sorted(equal, key=preference)
    for other in rest:
        if preference(other) == preference(first) and not _are_equal(first, other):
            raise InputError(
                f"{checkpoint.path}: holds several networks that fit, such as '{first.name}' and "
                f"'{other.name}'; {line_to_keep(checkpoint, first.table.keys, first.prefix)}"
            )
    return first


def _are_equal(first: _Candidate, other: _Candidate) -> bool:
    left, right = first.tensors, other.tensors
    return left.keys() == right.keys() and all(
        left[name].shape == right[name].shape and torch.equal(left[name], right[name]) for name in left
    )


def _refuse_no_numbers(path: Path, name: str, value: Tensor, own: Tensor) -> None:
    """Raise InputError unless the tensor is dense and holds floats, or what the network holds there."""
    if value.is_meta or value.layout is not torch.strided:
        kind = "without values (device meta)" if value.is_meta else f"sparse ({value.layout})"
        raise InputError(f"{path}: '{name}' is {kind}; {_FLOATS}")
    is_integer = not (_is_float(value) or value.is_complex() or value.is_quantized)
    if not (_is_float(value) or (is_integer and not _is_float(own))):
        raise InputError(f"{path}: '{name}' holds {value.dtype}; {_FLOATS}")


def _is_float(value: Tensor) -> bool:
    return value.is_floating_point()


def _notes(
    chosen: _Candidate, others: Sequence[_Candidate], tensors: Mapping[str, Tensor], outer: str
) -> Iterator[str]:
    beside_it = [other.prefix for other in others if other.table is chosen.table]
    elsewhere = [other.table.name for other in others if other.table is not chosen.table]
    rivals = [name for name in dict.fromkeys((*elsewhere, *beside_it)) if name]
    used = chosen.name if beside_it else chosen.table.name
    if used:
        also = f"; the file has {some(rivals)} as well" if rivals else ""
        yield f"The weights under '{used}' were used{also}."
    removed = chosen.prefix.removesuffix(outer)
    if removed:
        yield f"The prefix '{removed}' was removed from {len(tensors)} names."
    if outer and not chosen.prefix.endswith(outer):
        yield f"The prefix '{outer}' was added to {len(tensors)} names."
    counts = [name for name in chosen.table.tensors if name.endswith(_PROFILERS)]
    beside = [name for name in chosen.table.tensors if not name.startswith(chosen.prefix)]
    beside = [name for name in beside if name not in counts and not name.startswith(tuple(beside_it))]
    if counts:
        plural = "1 count" if len(counts) == 1 else f"{len(counts)} counts"
        verb = "was" if len(counts) == 1 else "were"
        yield f"{plural} of a profiler {verb} not used, such as {counts[0]}."
    if beside:
        yield f"{unused(beside)} without the prefix '{chosen.prefix}'."
    types = {str(value.dtype).removeprefix("torch.") for value in tensors.values() if _is_float(value)}
    if types - {"float32"}:
        yield f"The weights are stored as {' and '.join(sorted(types))}, and were converted to float32."


def unused(names: Sequence[str]) -> str:
    """Return the beginning of a sentence that says that tensors were not used."""
    plural = "1 tensor was" if len(names) == 1 else f"{len(names)} tensors were"
    return f"{plural} not used ({some(names)})"


def some(names: Sequence[str]) -> str:
    """Return the first names in quotation marks."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:_MOST_NAMED]) + more
