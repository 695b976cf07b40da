"""What is kept of a model file's outputs: their classes, and values to compare. It runs no model."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bench.bundle.judged_output import judged_values
from bench.bundle.quantisation import Quantisation
from bench.bundle.signature import Array, Outputs
from bench.harness.worker_messages import OutputsToKeep
from bench.measurements import OutputValues

_SEED = 0
_MIN_CLASSES = 2
_CLASS_AXES = 2


def outputs_of(
    inferences: Sequence[Outputs],
    names: Sequence[str],
    max_values: int,
    quantised: Sequence[Quantisation | None] = (),
) -> tuple[OutputValues, ...]:
    """Return what is kept of the outputs of several inferences, at most `max_values` values of each.

    Outputs without a name are called by their place; integers become what they stand for. Strings, sequences
    and absent values are left out.
    Raises FloatingPointError if a value is not finite.
    """
    columns = [
        (index, [_array(value, _quantisation_of(index, quantised)) for value in column])
        for index, column in enumerate(zip(*inferences, strict=True))
    ]
    return tuple(
        _values_of(name_of(index, names), [array for array in arrays if array is not None], max_values)
        for index, arrays in columns
        if all(array is not None for array in arrays)
    )


def kept_outputs(outputs: Outputs, to_keep: OutputsToKeep) -> tuple[OutputValues, ...]:
    """Return what is compared of the outputs of one inference. Raises FloatingPointError as `outputs_of`."""
    if to_keep.judged is None:
        return outputs_of([outputs], to_keep.names, to_keep.max_values, to_keep.quantised)
    values = finite_rows(judged_values(outputs, to_keep.judged)[None])
    return (OutputValues(name=to_keep.judged.name, shape=None, classes=None, values=values),)


def finite_rows(values: npt.NDArray[np.float32]) -> tuple[tuple[float, ...], ...]:
    """Return values [inferences, values]; raises FloatingPointError if one is not finite."""
    if not np.isfinite(values).all():
        raise FloatingPointError("returned outputs that are not finite")
    return tuple(tuple(float(value) for value in row) for row in values)


def name_of(index: int, names: Sequence[str]) -> str:
    """Return the name of an output; by its place if its format has no names."""
    return names[index] if index < len(names) else f"output_{index}"


def _quantisation_of(index: int, quantised: Sequence[Quantisation | None]) -> Quantisation | None:
    return quantised[index] if index < len(quantised) else None


def joined(parts: Sequence[tuple[OutputValues, ...]]) -> tuple[OutputValues, ...]:
    """Return the outputs of all inferences from those of consecutive ones."""
    by_name = [{output.name: output for output in part} for part in parts]
    return tuple(
        _joined([part[name] for part in by_name])
        for name in by_name[0]
        if all(name in part for part in by_name)
    )


def _joined(parts: Sequence[OutputValues]) -> OutputValues:
    first = parts[0]
    has_one_shape = all(part.shape == first.shape for part in parts)
    has_classes = has_one_shape and first.classes is not None
    return OutputValues(
        name=first.name,
        shape=first.shape if has_one_shape else None,
        classes=tuple(index for part in parts for index in part.classes or ()) if has_classes else None,
        values=tuple(values for part in parts for values in part.values),
    )


def _array(value: object, quantisation: Quantisation | None) -> Array | None:
    """Return an output as numbers; None if it has none. scikit-learn's scores are a list of mappings."""
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        has_same_keys = len({tuple(item) for item in value}) == 1
        value = np.array([list(item.values()) for item in value]) if has_same_keys else None
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiub":
        return None
    return value if quantisation is None else quantisation.to_floats(value)


def _values_of(name: str, arrays: Sequence[Array], max_values: int) -> OutputValues:
    _refuse_not_finite(name, arrays)
    shapes = {array.shape for array in arrays}
    shape = arrays[0].shape if len(shapes) == 1 else None
    return OutputValues(
        name=name,
        shape=shape,
        classes=None if shape is None else _classes(arrays, shape),
        values=tuple(_some_of(array.reshape(-1), max_values) for array in arrays),
    )


def _refuse_not_finite(name: str, arrays: Sequence[Array]) -> None:
    """Raise FloatingPointError if a value is not finite."""
    for array in arrays:
        wrong = array.size - int(np.isfinite(array).sum())
        if wrong:
            kind = "NaN" if np.isnan(array).any() else "infinite"
            raise FloatingPointError(
                f"returned values that are not finite, in the output '{name}': {wrong} of {array.size} are "
                f"{kind}; check that its inputs have the range that it expects (--data gives it real ones)"
            )


def _some_of(values: Array, most: int) -> tuple[float, ...]:
    """Return the values at places that are the same for every file whose output has this many values."""
    if len(values) > most:
        values = values[np.sort(np.random.default_rng(_SEED).choice(len(values), size=most, replace=False))]
    return tuple(map(float, values))


def _classes(arrays: Sequence[Array], shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return the class of each item of an output shaped [n, classes] or [n, classes, 1, 1]."""
    has_classes = len(shape) == _CLASS_AXES or (len(shape) == _CLASS_AXES + 2 and tuple(shape[2:]) == (1, 1))
    if not has_classes or shape[1] < _MIN_CLASSES:
        return None
    flat = [array.reshape(shape[0], shape[1]) for array in arrays]
    return tuple(int(index) for array in flat for index in array.argmax(axis=1))
