"""What is kept of a model file's outputs: their classes, and values to compare. It runs no model."""

import math
from collections.abc import Sequence

import numpy as np

from bench.bundle.signature import Array, Outputs
from bench.measurements import OutputValues

_SEED = 0
_MIN_CLASSES = 2
_CLASS_AXES = 2


def outputs_of(
    inferences: Sequence[Outputs], names: Sequence[str], max_values: int
) -> tuple[OutputValues, ...]:
    """Return what is kept of the outputs of several inferences, at most `max_values` values of each.

    Outputs without a name are called by their place. Strings, maps and sequences are left out. Raises
    FloatingPointError if a value is not finite.
    """
    columns = [(index, column) for index, column in enumerate(zip(*inferences, strict=True))]
    return tuple(
        _values_of(names[index] if index < len(names) else f"output_{index}", arrays, max_values)
        for index, arrays in columns
        if all(isinstance(array, np.ndarray) and array.dtype.kind in "fiub" for array in arrays)
    )


def joined(parts: Sequence[tuple[OutputValues, ...]]) -> tuple[OutputValues, ...]:
    """Return the outputs of all inferences from those of consecutive ones."""
    return tuple(_joined(same) for same in zip(*parts, strict=True))


def _joined(parts: Sequence[OutputValues]) -> OutputValues:
    """Return one output of all inferences."""
    first, values = parts[0], tuple(values for part in parts for values in part.values)
    if any(part.shape != first.shape for part in parts):
        return _without_values(first.name, len(values))
    classes = tuple(index for part in parts for index in part.classes or ())
    return first.model_copy(update={"classes": None if first.classes is None else classes, "values": values})


def _values_of(name: str, arrays: Sequence[Array], max_values: int) -> OutputValues:
    if not all(np.isfinite(array).all() for array in arrays):
        raise FloatingPointError(f"returned values that are not finite, in the output '{name}'")
    shape = arrays[0].shape
    if any(array.shape != shape for array in arrays):
        return _without_values(name, len(arrays))
    places = _places(math.prod(shape), max_values)
    return OutputValues(
        name=name,
        shape=shape,
        classes=_classes(arrays, shape),
        values=tuple(tuple(float(value) for value in array.reshape(-1)[places]) for array in arrays),
    )


def _without_values(name: str, inferences: int) -> OutputValues:
    """Return an output whose shape changes from input to input, as a list of detections does."""
    return OutputValues(name=name, shape=(), classes=None, values=((),) * inferences)


def _places(count: int, max_values: int) -> Array:
    """Return the places of the values that are kept; the same for every file whose output has this size."""
    if count <= max_values:
        return np.arange(count)
    return np.sort(np.random.default_rng(_SEED).choice(count, size=max_values, replace=False))


def _classes(arrays: Sequence[Array], shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return the class of each item of an output shaped [n, classes] or [n, classes, 1, 1]."""
    has_classes = len(shape) == _CLASS_AXES or (len(shape) == _CLASS_AXES + 2 and tuple(shape[2:]) == (1, 1))
    if not has_classes or shape[1] < _MIN_CLASSES:
        return None
    flat = [array.reshape(shape[0], shape[1]) for array in arrays]
    return tuple(int(index) for array in flat for index in array.argmax(axis=1))
