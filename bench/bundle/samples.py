"""Makes the inputs of a model from samples of data: which array is which input, for how many inferences.

It reads no file. A sample has arrays by input name; an array without a name, "", is for a model's only input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench.bundle.signature import (
    UNKNOWN_DTYPE,
    Array,
    Shapes,
    StatedInput,
    Tensor,
    refuse_unusable,
    with_shapes,
)
from bench.bundle.tensor_pack import MAX_BYTES, TensorPack
from bench.errors import InputError

MOST_INFERENCES = 64
"""How many inferences are run on data; more would be compared no better, and take time."""


@dataclass(frozen=True)
class Sample:
    """Data for one inference, or for several."""

    where: str
    """Where it came from, for messages: a file, or an item of a function."""
    arrays: Mapping[str, Array]
    """The arrays by the inputs' names; "" for an array without a name."""
    is_labelled: bool = False
    """Whether a label came with it."""
    label: object = None
    """The label as it was given; None without one."""


@dataclass(frozen=True)
class MatchedInputs:
    """The inputs of a model, made from data."""

    inputs: tuple[Tensor, ...]
    """The model's inputs, with the shapes and types of the data."""
    pack: TensorPack
    """Their values."""
    notes: tuple[str, ...]
    """What of the data is not used: sentences without a subject."""


def match_samples(
    name: str, tensors: Sequence[Tensor], shapes: Shapes, samples: Sequence[Sample]
) -> MatchedInputs:
    """Return the inputs of the model file `name` from samples, as many as edgefit runs.

    An array may have the shape of an input, or several of them along its first axis. Raises InputError for
    names, shapes and types that do not fit.
    """
    refuse_unusable(name, tensors, shapes)
    if not tensors:
        raise InputError(f"{name}: takes no input; measure it without --data")
    stated = [_stated(name, tensor, shapes.get(tensor.name)) for tensor in tensors]
    inferences: list[list[Array]] = []
    is_cut = False
    for sample in samples:
        new = inferences_of(name, stated, sample)
        space = _most(new) - len(inferences)
        is_cut = len(new) > space
        inferences += new[:space]
        refuse_other_shapes(name, stated, sample, inferences)
        if is_cut:
            break
    if not inferences:
        raise InputError(f"{name}: the data has no sample; give one or more")
    cut = (f"only the first {len(inferences)} inputs are used",) if is_cut else ()
    return _stacked(stated, inferences, (*_unused(tensors, samples), *cut))


def _unused(tensors: Sequence[Tensor], samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return which arrays and labels of the samples are not used."""
    names = {tensor.name for tensor in tensors} | {""}
    others = sorted({name for sample in samples for name in sample.arrays} - names)
    labels = "its labels are not used: outputs are compared, and accuracy is not measured"
    return (
        *(f"its array '{other}' is not used, because no input has this name" for other in others),
        *([labels] if any(sample.is_labelled for sample in samples) else []),
    )


def _stated(name: str, tensor: Tensor, stated: Sequence[int] | StatedInput | None) -> Tensor:
    """Return an input with what is stated of it; a type that nothing states remains unknown."""
    if stated is None:
        return tensor
    fixed = with_shapes(name, [tensor], {tensor.name: stated})[0]
    dtype = stated.dtype if isinstance(stated, StatedInput) else None
    return fixed.model_copy(update={"dtype": dtype or tensor.dtype})


def _most(inferences: Sequence[Sequence[Array]]) -> int:
    """Return how many inferences of this size are run."""
    each = max(1, sum(array.nbytes for arrays in inferences[:1] for array in arrays))
    return max(1, min(MOST_INFERENCES, MAX_BYTES // each))


def inferences_of(name: str, tensors: Sequence[Tensor], sample: Sample) -> list[list[Array]]:
    """Return the arrays of each inference that a sample has data for, for the model file `name`."""
    parts = [_parts(name, tensor, _array_of(name, tensors, tensor, sample), sample) for tensor in tensors]
    count = max(map(len, parts))
    for tensor, arrays in zip(tensors, parts, strict=True):
        if len(arrays) not in (1, count):
            raise InputError(
                f"{name}: {sample.where} has {len(arrays)} values for the input '{tensor.name}', and "
                f"{count} for another; give as many for each"
            )
    return [[arrays[index if len(arrays) > 1 else 0] for arrays in parts] for index in range(count)]


def _array_of(name: str, tensors: Sequence[Tensor], tensor: Tensor, sample: Sample) -> Array:
    array = sample.arrays.get(tensor.name)
    if array is None and len(tensors) == 1:
        array = sample.arrays.get("")
    if array is None:
        has = ", ".join(repr(other) if other else "one array without a name" for other in sample.arrays)
        names = ", ".join(each.name for each in tensors)
        raise InputError(
            f"{name}: {sample.where} has no data for the input '{tensor.name}'; it has {has or 'none'}; name "
            f"the arrays as the inputs: {names}"
        )
    return _of_right_type(name, tensor, array, sample)


def _of_right_type(name: str, tensor: Tensor, array: Array, sample: Sample) -> Array:
    """Return the array; raises InputError if its elements are not of the input's type."""
    if array.dtype.kind not in "fiub":
        raise InputError(
            f"{name}: {sample.where} has {array.dtype} for the input '{tensor.name}'; give numbers"
        )
    if tensor.dtype not in (UNKNOWN_DTYPE, array.dtype.name):
        raise InputError(
            f"{name}: {sample.where} has {array.dtype} for the input '{tensor.name}', which takes "
            f"{tensor.dtype}; convert it: array.astype('{tensor.dtype}')"
        )
    return array


def _parts(name: str, tensor: Tensor, array: Array, sample: Sample) -> list[Array]:
    """Return one array for each inference."""
    parts = [array] if tensor.shape is None else _split(array, tensor.shape)
    if parts is not None:
        return parts
    raise InputError(
        f"{name}: {sample.where} has the shape {list(array.shape)} for the input {tensor.words}; give an "
        "array of the input's shape, or several along its first axis"
    )


def _split(array: Array, shape: Sequence[int | str]) -> list[Array] | None:
    """Return one array for each inference that an array has values for; None if it does not fit."""
    if array.ndim == len(shape) + 1 and _fits(array.shape[1:], shape):
        return list(array)
    if not shape:
        return None if array.ndim else [array]
    items = shape[0] if isinstance(shape[0], int) else 1
    if items == 1 and _fits(array.shape, shape[1:]):
        return [array[None]]
    if array.ndim != len(shape) or not _fits(array.shape[1:], shape[1:]):
        return None
    if array.shape[0] == items:
        return [array]
    is_whole = items > 0 and array.shape[0] > 0 and array.shape[0] % items == 0
    return [array[first : first + items] for first in range(0, array.shape[0], items)] if is_whole else None


def _fits(shape: Sequence[int], stated: Sequence[int | str]) -> bool:
    return len(shape) == len(stated) and all(
        isinstance(own, str) or own == size for own, size in zip(stated, shape, strict=True)
    )


def refuse_other_shapes(
    name: str, tensors: Sequence[Tensor], sample: Sample, inferences: Sequence[Sequence[Array]]
) -> None:
    """Raise InputError if the data of the last inference has another shape than that of the first."""
    if not inferences:
        return
    for tensor, first, last in zip(tensors, inferences[0], inferences[-1], strict=True):
        if (first.shape, first.dtype) != (last.shape, last.dtype):
            raise InputError(
                f"{name}: {sample.where} has {last.dtype} {list(last.shape)} for the input '{tensor.name}', "
                f"and an earlier one {first.dtype} {list(first.shape)}; give all of one shape and type"
            )


def _stacked(
    tensors: Sequence[Tensor], inferences: Sequence[Sequence[Array]], notes: tuple[str, ...]
) -> MatchedInputs:
    arrays = tuple(np.ascontiguousarray(np.stack(column)) for column in zip(*inferences, strict=True))
    inputs = tuple(
        tensor.model_copy(update={"shape": tuple(array.shape[1:]), "dtype": array.dtype.name})
        for tensor, array in zip(tensors, arrays, strict=True)
    )
    return MatchedInputs(inputs, TensorPack(arrays), notes)
