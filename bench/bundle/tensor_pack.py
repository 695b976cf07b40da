"""The inputs of a model file: a few inferences' arrays, random or the user's own, in one npz file.

It knows arrays and files. A model's meaning, and where the user's own inputs come from, is not known here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.bundle.signature import Array, Inputs, Tensor
from bench.bundle.stored_rows import StoredRows, open_stored
from bench.errors import InputError
from user_files.arrays import ArraysError, ArrayTooLargeError
from user_files.reading import naming

# Enough that no inference repeats the one before; fewer where an input is large.
RANDOM_INPUTS = 8
MAX_BYTES = 256 << 20
"""How large the inputs of a model file are, all inferences together."""
_SEED = 0
_PREFIX = "input_"


@dataclass(frozen=True)
class TensorPack:
    """Inputs of several inferences. `arrays`: for each input [inferences, *shape of the input].

    A model without inputs has a pack without arrays, which is good for one inference.
    """

    arrays: tuple[Array, ...]

    def __len__(self) -> int:
        return len(self.arrays[0]) if self.arrays else 1

    def inputs(self, index: int) -> Inputs:
        """Return the inputs of inference `index`."""
        # A slice of a C-contiguous array is contiguous, as every runtime wants it.
        return [array[index, ...] for array in self.arrays]

    def first(self, count: int) -> "TensorPack":
        """Return the inputs of the first `count` inferences."""
        return TensorPack(tuple(array[:count] for array in self.arrays))

    @property
    def lengths(self) -> tuple[int, ...]:
        """For how many inferences each input is there."""
        return tuple(map(len, self.arrays))

    @property
    def dtypes(self) -> tuple[np.dtype[Any], ...]:
        """The type of each input's values."""
        return tuple(array.dtype for array in self.arrays)

    @property
    def named(self) -> Mapping[str, Array]:
        """The arrays by their names in a file, where each inference's values lie in one piece."""
        return {f"{_PREFIX}{index}": np.ascontiguousarray(array) for index, array in enumerate(self.arrays)}


@dataclass(frozen=True)
class StoredTensors:
    """A pack whose inputs stay in its file until they are asked for."""

    rows: tuple[StoredRows, ...]
    """For each input [inferences, *shape of the input]."""

    def __len__(self) -> int:
        return len(self.rows[0]) if self.rows else 1

    def inputs(self, index: int) -> Inputs:
        """Return the inputs of inference `index`."""
        return [rows[index] for rows in self.rows]

    @property
    def lengths(self) -> tuple[int, ...]:
        """For how many inferences each input is there."""
        return tuple(map(len, self.rows))

    @property
    def dtypes(self) -> tuple[np.dtype[Any], ...]:
        """The type of each input's values."""
        return tuple(rows.dtype for rows in self.rows)

    def first(self, count: int) -> "StoredTensors":
        """Return the inputs of the first `count` inferences."""
        return StoredTensors(tuple(rows.first(count) for rows in self.rows))


def tensors_of(arrays: Mapping[str, Array | StoredRows]) -> TensorPack | StoredTensors | None:
    """Return the inputs among a file's arrays, which all lie in memory or none does; None without any."""
    count = sum(map(is_input, arrays))
    inputs = [arrays[f"{_PREFIX}{index}"] for index in range(count)]
    stored = tuple(rows for rows in inputs if isinstance(rows, StoredRows))
    if not inputs:
        return None
    return StoredTensors(stored) if stored else TensorPack(tuple(map(np.asarray, inputs)))


def is_input(name: str) -> bool:
    """Tell whether an array of this name in a file is an input."""
    return name.startswith(_PREFIX)


def random_pack(inputs: Sequence[Tensor], inferences: int = RANDOM_INPUTS) -> TensorPack:
    """Return random inputs of fixed shapes for so many inferences, the same ones every time.

    There are fewer where an input is large.
    Floats are in [0, 1); unsigned and signed 8-bit integers take all values; other integers, which may be
    indices into a table, and booleans are 0 or 1.
    """
    random = np.random.default_rng(_SEED)
    each = max(1, sum(tensor.bytes_each for tensor in inputs))
    count = max(1, min(inferences, MAX_BYTES // each))
    return TensorPack(tuple(_random(tensor, count, random) for tensor in inputs))


def _random(tensor: Tensor, count: int, random: np.random.Generator) -> Array:
    dtype, shape = np.dtype(tensor.dtype), (count, *tensor.sizes)
    if dtype.kind == "f":
        return random.random(shape, dtype=np.float32).astype(dtype, copy=False)
    if dtype.itemsize == 1 and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return random.integers(limits.min, limits.max, size=shape, dtype=dtype, endpoint=True)
    return random.integers(0, 1, size=shape, endpoint=True).astype(dtype)


def constant_inputs(inputs: Sequence[Tensor]) -> Inputs:
    """Return inputs without a pack: floats 0.5, everything else 0."""
    return [
        np.full(tensor.sizes, 0.5 if np.dtype(tensor.dtype).kind == "f" else 0, dtype=tensor.dtype)
        for tensor in inputs
    ]


def write_tensor_pack(path: Path, pack: TensorPack) -> None:
    """Write a pack, uncompressed: random numbers do not become smaller."""
    arrays: dict[str, Any] = dict(pack.named)
    with naming(path), path.open("wb") as file:
        np.savez(file, **arrays)


def open_tensor_pack(path: Path) -> StoredTensors:
    """Open a pack; raises InputError if the file is not one."""
    try:
        rows = open_stored(path, lambda _: True).rows
        pack = StoredTensors(tuple(rows[f"{_PREFIX}{index}"] for index in range(len(rows))))
    except ArrayTooLargeError as error:
        raise InputError(f"{path}: {error}") from None
    except (OSError, ArraysError, KeyError):
        raise InputError(f"{path}: is not a file of inputs; run the command again") from None
    if len(set(pack.lengths)) > 1 or not len(pack):
        raise InputError(f"{path}: the inputs do not fit together; run the command again")
    return pack
