"""What a model takes and gives: its signature. It reads no model file and knows no runtime."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from bench.bundle.variants import Precision
from bench.errors import InputError
from bench.record import Record

Array = npt.NDArray[Any]
Inputs = Sequence[Array]
"""One array for each input, in the signature's order."""
Outputs = Sequence[Array]
"""One array for each output, in the signature's order."""

_IMAGE_CHANNELS = (1, 3)
_IMAGE_AXES = 4


class OpenShapeError(InputError):
    """An input whose shape the file leaves open, and nothing states; the message says what to type."""


class Tensor(Record):
    """One input or output of a model."""

    name: str
    """Its name in the file; a format without names counts them: `input_0`, `output_0`."""
    dtype: str
    """The type of its elements by numpy's name, such as `float32`; the runtime's word if numpy has none."""
    shape: tuple[int | str, ...] | None
    """Its size on each axis; a name (`batch`, `?`) for an axis that the file leaves open. Null where the file
    does not state how many axes there are."""

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
        return f"{self.name}: {self.dtype} {shape}"


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


def named_shapes(signature: Signature, shapes: Mapping[str, Sequence[int]]) -> Mapping[str, Sequence[int]]:
    """Return the shapes for one model. A shape without a name is that of the only input."""
    only = shapes.get("")
    if only is None or not signature.inputs:
        return shapes
    return {name: shape for name, shape in shapes.items() if name} | {signature.inputs[0].name: only}


def with_shapes(
    name: str, inputs: Iterable[Tensor], shapes: Mapping[str, Sequence[int]]
) -> tuple[Tensor, ...]:
    """Return the inputs of the model file `name` with fixed shapes.

    `shapes`: by input name, as typed with `--shape`. An open first axis becomes 1, one image at a time.
    Raises OpenShapeError for any other open axis; InputError for a shape that does not fit, and for an
    unknown name.
    """
    tensors = tuple(inputs)
    for unknown in shapes.keys() - {tensor.name for tensor in tensors}:
        names = ", ".join(tensor.name for tensor in tensors) or "none"
        raise InputError(f"{name}: has no input '{unknown}', which --shape names; its inputs are: {names}")
    fixed = [_fixed(name, tensor, shapes.get(tensor.name)) for tensor in tensors]
    still_open = [tensor for tensor in fixed if not tensor.is_fixed]
    if still_open:
        raise OpenShapeError(_ask_for_shapes(name, still_open))
    return tuple(fixed)


def _fixed(name: str, tensor: Tensor, shape: Sequence[int] | None) -> Tensor:
    if shape is None:
        if tensor.shape is None:
            return tensor
        first, *others = tensor.shape or (1,)
        sizes = () if not tensor.shape else (1 if isinstance(first, str) else first, *others)
        return tensor.model_copy(update={"shape": sizes})
    stated = tensor.shape
    fits = stated is None or (
        len(stated) == len(shape)
        and all(isinstance(own, str) or own == given for own, given in zip(stated, shape, strict=True))
    )
    if not fits:
        raise InputError(
            f"{name}: --shape {tensor.name}:{_times(shape)} does not fit the input {tensor.words}"
        )
    return tensor.model_copy(update={"shape": tuple(shape)})


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
