"""What LiteRT ran: the operators of its graph with the types of their tensors, and which XNNPACK took.

LiteRT lists the file's operators, and behind them one named DELEGATE for each part of the graph that XNNPACK
computes. It does not say which operators such a part holds; that follows from what it reads and gives.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.measurements import Executed, Operator
from bench.runtimes.executed import (
    PRECISIONS,
    convolution_macs,
    inner_dimension,
    matrix_macs,
    moved,
    transposed_convolution_macs,
)

_CONVOLUTION, _DEPTHWISE, _TRANSPOSED = "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"
_LINEAR, _PRODUCT = "FULLY_CONNECTED", "BATCH_MATMUL"
WEIGHTED = (_CONVOLUTION, _DEPTHWISE, _TRANSPOSED, _LINEAR, _PRODUCT)
"""The operators that have multiply-accumulates."""
_DELEGATE = "DELEGATE"
_FLOATS = ("float32", "float16", "float64", "bfloat16")
_INTEGERS = ("int8", "uint8")

Shape = Sequence[int]


@dataclass(frozen=True)
class RunTensor:
    """A tensor as the interpreter holds it."""

    name: str
    """Its name."""
    dtype: str
    """The type of its elements by numpy's name."""
    shape: tuple[int, ...]
    """Its sizes."""
    is_constant: bool
    """Whether the file holds its values."""


@dataclass(frozen=True)
class RunOperator:
    """An operator as the interpreter lists it."""

    kind: str
    """Its name."""
    inputs: tuple[int, ...]
    """The numbers of the tensors that it reads; those it leaves out are missing."""
    outputs: tuple[int, ...]
    """The numbers of the tensors that it gives."""


def executed_by(operators: Sequence[RunOperator], tensors: Mapping[int, RunTensor]) -> Executed:
    """Return what the operators of a loaded graph show about precision."""
    own = [operator for operator in operators if operator.kind != _DELEGATE]
    taken = _taken([each for each in operators if each.kind == _DELEGATE], own)
    return Executed(
        source=f"LiteRT's graph, of which XNNPACK computes {len(taken)} of {len(own)} operators",
        operators=tuple(_operator(each, tensors) for each in own if each.kind in WEIGHTED),
        casts=sum(_converts(each, tensors, _FLOATS, _FLOATS) for each in own),
        quantise=sum(_converts(each, tensors, _FLOATS, _INTEGERS) for each in own),
        dequantise=sum(_converts(each, tensors, _INTEGERS, _FLOATS) for each in own),
        unaccelerated=len(own) - len(taken),
    )


def _taken(delegates: Sequence[RunOperator], operators: Sequence[RunOperator]) -> frozenset[int]:
    """Return which operators the delegates compute: all between what one reads and what it gives."""
    made_by = {output: index for index, each in enumerate(operators) for output in each.outputs}
    taken: set[int] = set()
    for delegate in delegates:
        waiting = [output for output in delegate.outputs if output in made_by]
        while waiting:
            index = made_by[waiting.pop()]
            if index not in taken:
                taken.add(index)
                reads = operators[index].inputs
                waiting += [each for each in reads if each in made_by and each not in delegate.inputs]
    return frozenset(taken)


def _converts(
    operator: RunOperator, tensors: Mapping[int, RunTensor], source: Sequence[str], target: Sequence[str]
) -> bool:
    """Whether an operator converts between types. Constants are converted once, when the file is loaded."""
    if operator.kind not in ("CAST", "QUANTIZE", "DEQUANTIZE"):
        return False
    taken, given = tensors[operator.inputs[0]], tensors[operator.outputs[0]]
    is_conversion = taken.dtype in source and given.dtype in target and taken.dtype != given.dtype
    return is_conversion and not taken.is_constant


def _operator(operator: RunOperator, tensors: Mapping[int, RunTensor]) -> Operator:
    read = [tensors[each] for each in operator.inputs]
    shapes, given = [tensor.shape for tensor in read], tensors[operator.outputs[0]]
    return Operator(
        name=given.name,
        operation=operator.kind,
        precision=_precision(operator.kind, read),
        macs=macs_of(operator.kind, shapes, given.shape),
        elements=moved(*_factors(operator.kind, shapes), given.shape),
    )


def _precision(kind: str, read: Sequence[RunTensor]) -> str:
    """Return the precision of the factors. A float is quantised on the spot if the weights have 8 bits."""
    taken, weight = (read[2], read[1]) if kind == _TRANSPOSED else (read[0], read[1])
    dtype = weight.dtype if weight.dtype in _INTEGERS else taken.dtype
    return PRECISIONS.get(dtype, dtype)


def _factors(kind: str, shapes: Sequence[Shape]) -> tuple[Shape, Shape]:
    """Return the shapes of what an operator multiplies: its input and its weights."""
    return (shapes[2], shapes[1]) if kind == _TRANSPOSED else (shapes[0], shapes[1])


def macs_of(kind: str, inputs: Sequence[Shape], output: Shape) -> int:
    """Return the multiply-accumulates of an operator of WEIGHTED by the shapes of its inputs and output."""
    taken, weight = _factors(kind, inputs)
    match kind:
        case "DEPTHWISE_CONV_2D":  # its weights are [1, height, width, channels]
            return convolution_macs(output, weight, weight[3])
        case "TRANSPOSE_CONV":  # its weights are [outputs, height, width, inputs]
            return transposed_convolution_macs(taken, weight, weight[3])
        case "FULLY_CONNECTED":
            return matrix_macs([math.prod(taken) // max(1, weight[1]), weight[0]], weight[1])
        case "BATCH_MATMUL":
            return matrix_macs(output, inner_dimension(taken, weight, output))
    return convolution_macs(output, weight, weight[0])


def run_operators(listed: Sequence[Mapping[str, Any]]) -> list[RunOperator]:
    """Return operators from the interpreter's list of them."""
    return [
        RunOperator(
            kind=each["op_name"],
            inputs=tuple(int(index) for index in each["inputs"] if index >= 0),
            outputs=tuple(int(index) for index in each["outputs"]),
        )
        for each in listed
    ]
