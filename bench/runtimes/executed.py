"""What the readers of executed graphs share: how multiply-accumulates are counted. It knows no runtime."""

import math
from collections.abc import Sequence

_MATRIX_AXES = 2

# Names of element types in the runtimes' graphs, and ours. What is not here keeps its own name.
PRECISIONS = {
    **dict.fromkeys(("f64", "double", "float64"), "fp64"),
    **dict.fromkeys(("f32", "float", "float32"), "fp32"),
    **dict.fromkeys(("f16", "float16", "half"), "fp16"),
    **dict.fromkeys(("bf16", "bfloat16"), "bf16"),
    **dict.fromkeys(("i8", "u8", "int8", "uint8"), "int8"),
}


def convolution_macs(output: Sequence[int], weight: Sequence[int], channels: int) -> int:
    """Return the multiply-accumulates of a convolution with `channels` output channels.

    Each element of the output is a sum over the weights of one channel, however layout and groups are
    written.
    """
    return math.prod(output) * (math.prod(weight) // max(1, channels))


def transposed_convolution_macs(taken: Sequence[int], weight: Sequence[int], channels: int) -> int:
    """Return the multiply-accumulates of a transposed convolution with `channels` input channels.

    Each element of the input is multiplied by the weights of its channel.
    """
    return math.prod(taken) * (math.prod(weight) // max(1, channels))


def moved(*shapes: Sequence[int]) -> int:
    """Return how many values an operator reads and writes that has these inputs and outputs."""
    return sum(math.prod(shape) for shape in shapes)


def matrix_macs(output: Sequence[int], summed: int) -> int:
    """Return the multiply-accumulates of a matrix product whose inner dimension is `summed`."""
    return math.prod(output) * summed


def inner_dimension(first: Sequence[int], second: Sequence[int], output: Sequence[int]) -> int:
    """Return the inner dimension of a matrix product, whichever of its factors are transposed.

    The first factor holds it and the rows of the output, in either order.
    """
    if min(len(first), len(second), len(output)) < _MATRIX_AXES or not output[-2]:
        return first[-1] if first else 1
    return first[-1] * first[-2] // output[-2]
