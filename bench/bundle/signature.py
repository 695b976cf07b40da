"""What a model takes and gives: its signature. It reads no model file and knows no runtime."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from bench.bundle.quantisation import Quantisation
from bench.bundle.variants import Precision
from bench.errors import InputError
from bench.record import Record

Array = npt.NDArray[Any]
Inputs = Sequence[Array]
"""One array for each input, in the signature's order."""
Outputs = Sequence[Array]
"""One array for each output, in the signature's order."""

NUMERIC_DTYPES = (
    *("float16", "float32", "float64", "int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool"),
)
"""The types of elements that edgefit can give a model, by numpy's names."""
UNKNOWN_DTYPE = "unknown"
"""The type of an input whose file does not state it, as in TorchScript."""
_USUAL_DTYPE = "float32"
_IMAGE_CHANNELS = (1, 3)
_IMAGE_AXES = 4
# The inputs of several inferences are in memory at once, here and in a worker.
_MOST_BYTES = 1 << 30


class OpenShapeError(InputError):
    """An input whose shape the file leaves open, and nothing states; the message says what to type."""


class Tensor(Record):
    """One input or output of a model."""

    name: str
    """Its name in the file; a format without names counts them: `input_0`, `output_0`."""
    dtype: str
    """The type of its elements by numpy's name, such as `float32`; the runtime's word if numpy has none;
    `unknown` where the file does not state it."""
    shape: tuple[int | str, ...] | None
    """Its size on each axis; a name (`batch`, `?`) for an axis that the file leaves open. Null where the file
    does not state how many axes there are."""
    quantisation: Quantisation | None = None
    """How its integers stand for floats; null where they do not, and where the file does not say."""

    @property
    def is_fixed(self) -> bool:
        """Whether the file states its size on every axis."""
        return self.shape is not None and all(isinstance(size, int) for size in self.shape)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The size on each axis of a tensor whose shape is fixed."""
        assert self.shape is not None
        return tuple(size for size in self.shape if isinstance(size, int))

    @property
    def bytes_each(self) -> int:
        """The bytes of a tensor whose shape is fixed."""
        return math.prod(self.sizes) * np.dtype(self.dtype).itemsize

    @property
    def is_numeric(self) -> bool:
        """Whether its elements are numbers or booleans of a type that numpy has."""
        return self.dtype in NUMERIC_DTYPES

    @property
    def layout(self) -> Literal["NCHW", "NHWC"] | None:
        """The order of an image's axes, by which of them has one or three channels; None if it is unclear."""
        if self.shape is None or len(self.shape) != _IMAGE_AXES:
            return None
        first, last = self.shape[1] in _IMAGE_CHANNELS, self.shape[3] in _IMAGE_CHANNELS
        if first == last:
            return None
        return "NCHW" if first else "NHWC"

    @property
    def words(self) -> str:
        """The tensor as people write it: `images: float32 [1, 3, 224, 224]`."""
        shape = "of an unknown shape" if self.shape is None else f"[{', '.join(map(str, self.shape))}]"
        dtype = "an unknown type" if self.dtype == UNKNOWN_DTYPE else self.dtype
        return f"{self.name}: {dtype} {shape}"


@dataclass(frozen=True)
class StatedInput:
    """What a person states of an input that its file leaves open."""

    shape: tuple[int, ...]
    """The size on each axis."""
    dtype: str | None = None
    """The type of its elements by numpy's name; None: the file's, and float32 where that states none."""


Shapes = Mapping[str, Sequence[int] | StatedInput]
"""What is stated of inputs, by name; a bare shape states no type."""


class Signature(Record):
    """All inputs and outputs of a model, in the runtime's order. Weights that a file lists are no inputs."""

    inputs: tuple[Tensor, ...]
    """What one inference takes."""
    outputs: tuple[Tensor, ...]
    """What one inference gives."""


class ModelDescription(Record):
    """What a runtime reads in a model file without running it."""

    signature: Signature
    """Its inputs and outputs."""
    precision: Precision = Field(strict=False)
    """By its graph: int8 with quantised operators, fp16 with most weights in half precision, else fp32."""


def image_input(side: int) -> Tensor:
    """Return the input of edgefit's own networks: one RGB image in [0, 1]."""
    return Tensor(name="image", dtype="float32", shape=(1, 3, side, side))


def batch_of(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> int:
    """Return how many items one inference takes: the first axis that all inputs and outputs have in common.

    It is 1 where they have none in common. Outputs without a fixed shape are ignored.
    """
    known = [*inputs, *(tensor for tensor in outputs if tensor.is_fixed)]
    first = {tensor.sizes[0] if tensor.sizes else None for tensor in known}
    (size,) = first if len(first) == 1 else (None,)
    return size or 1


def named_shapes(name: str, signature: Signature, shapes: Shapes) -> Shapes:
    """Return the shapes for the model file `name`. A shape without a name is that of the only input.

    Raises InputError for a shape without a name if the model has several inputs, or none.
    """
    only = shapes.get("")
    if only is None:
        return shapes
    if len(signature.inputs) != 1:
        names = ", ".join(tensor.name for tensor in signature.inputs) or "none"
        raise InputError(
            f"{name}: --shape names no input, and the model has {len(signature.inputs)}; write NAME:SHAPE "
            f"for its inputs: {names}"
        )
    return {other: shape for other, shape in shapes.items() if other} | {signature.inputs[0].name: only}


def with_shapes(name: str, inputs: Iterable[Tensor], shapes: Shapes) -> tuple[Tensor, ...]:
    """Return the inputs of the model file `name` with fixed shapes and known types.

    `shapes`: by input name, as typed with `--shape`. An open first axis becomes 1, one image at a time; a
    type that the file does not state becomes float32. Raises OpenShapeError for any other open axis. Raises
    InputError for a shape or type that does not fit, for an unknown name, and for an input that is no tensor
    of numbers.
    """
    tensors = tuple(inputs)
    refuse_unusable(name, tensors, shapes)
    fixed = [_fixed(name, tensor, shapes.get(tensor.name)) for tensor in tensors]
    still_open = [tensor for tensor in fixed if not tensor.is_fixed]
    if still_open:
        raise OpenShapeError(_ask_for_shapes(name, still_open))
    return tuple(fixed)


def refuse_huge(name: str, tensors: Sequence[Tensor]) -> None:
    """Raise InputError if the inputs of one inference take more memory than edgefit makes inputs of."""
    total = sum(tensor.bytes_each for tensor in tensors)
    if total > _MOST_BYTES:
        largest = max(tensors, key=lambda tensor: tensor.bytes_each)
        raise InputError(
            f"{name}: the inputs of one inference take {total / 2**30:.3g} GiB ({largest.words}), and "
            f"edgefit makes up to {_MOST_BYTES / 2**30:g} GiB; state a smaller --shape"
        )


def refuse_unusable(name: str, tensors: Sequence[Tensor], shapes: Shapes) -> None:
    """Raise InputError for a stated input that does not exist, and for one that is no tensor of numbers."""
    for unknown in sorted(shapes.keys() - {tensor.name for tensor in tensors}):
        names = ", ".join(tensor.name for tensor in tensors) or "none"
        raise InputError(f"{name}: has no input '{unknown}', which --shape names; its inputs are: {names}")
    for tensor in tensors:
        _refuse_other_types(name, tensor)


def _refuse_other_types(name: str, tensor: Tensor) -> None:
    """Raise InputError for an input that numpy has no type for, such as bfloat16, strings or a list."""
    if not tensor.is_numeric and tensor.dtype != UNKNOWN_DTYPE:
        raise InputError(
            f"{name}: the input '{tensor.name}' takes {tensor.dtype}; edgefit gives a model tensors of "
            "float16, float32, float64, integers or booleans; export it with such an input"
        )


def _fixed(name: str, tensor: Tensor, stated: Sequence[int] | StatedInput | None) -> Tensor:
    usual = _USUAL_DTYPE if tensor.dtype == UNKNOWN_DTYPE else tensor.dtype
    if stated is None:
        return tensor.model_copy(update={"shape": _with_one_item(tensor.shape), "dtype": usual})
    given = stated_input(stated)
    if not _fits(tensor, given):
        dtype = "" if given.dtype is None else f":{given.dtype}"
        option = f"--shape {tensor.name}:{_times(given.shape)}{dtype}"
        raise InputError(
            f"{name}: {option} does not fit the input {tensor.words}; state one that does, or leave it out"
        )
    return tensor.model_copy(update={"shape": given.shape, "dtype": given.dtype or usual})


def stated_input(stated: Sequence[int] | StatedInput) -> StatedInput:
    """Return what is stated of an input; of a bare shape without a type."""
    return stated if isinstance(stated, StatedInput) else StatedInput(tuple(stated))


def _with_one_item(shape: tuple[int | str, ...] | None) -> tuple[int | str, ...] | None:
    """Return a shape whose first axis, if it is open, is 1."""
    if not shape or isinstance(shape[0], int):
        return shape
    return (1, *shape[1:])


def _fits(tensor: Tensor, given: StatedInput) -> bool:
    if given.dtype is not None and tensor.dtype not in (UNKNOWN_DTYPE, given.dtype):
        return False
    return tensor.shape is None or (
        len(tensor.shape) == len(given.shape)
        and all(
            isinstance(own, str) or own == size for own, size in zip(tensor.shape, given.shape, strict=True)
        )
    )


def _ask_for_shapes(name: str, tensors: Sequence[Tensor]) -> str:
    options = " ".join(f"--shape {tensor.name}:{_example(tensor)}" for tensor in tensors)
    stated = "; ".join(tensor.words for tensor in tensors)
    return f"{name}: leaves the shape of an input open ({stated}); state it, such as: {options}"


_USUAL_IMAGE = (1, 3, 224, 224)


def _example(tensor: Tensor) -> str:
    """Return the shape to type: the file's own sizes, and usual ones where it states none."""
    shape = tensor.shape if tensor.shape is not None else ("?",) * _IMAGE_AXES
    usual = _USUAL_IMAGE if len(shape) == _IMAGE_AXES else (1,) * len(shape)
    if tensor.layout == "NHWC":
        usual = (1, 224, 224, 3)
    return _times([size if isinstance(size, int) else usual[axis] for axis, size in enumerate(shape)])


def _times(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))
