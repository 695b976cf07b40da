"""Which shape a TorchScript operator gives: it is run on tensors that have shapes and no values.

Operators of quantised tensors cannot be run so. The float operator that gives the same shape stands for them.
"""

from collections.abc import Mapping
from typing import Any

import torch

Shape = tuple[int, ...]

_SAME_AS = {"quantized::cat": "aten::cat", "quantized::matmul": "aten::matmul"}
_LISTS = ("prim::ListConstruct", "prim::TupleConstruct")
_NUMBERS = ("prim::NumToTensor", "aten::Int", "aten::ScalarImplicit")
_UNPACK = "prim::ListUnpack"
_AS_MANY_AS_GIVEN = {"aten::cat": 2}  # how many arguments the float operator takes


class _UnknownError(Exception):
    """A value that is not known without running the module."""


def shapes_after(node: Any, shapes: Mapping[str, Shape | None]) -> tuple[Shape | None, ...]:
    """Return the shape of each output of a node; None for those that are not known, or are no tensors."""
    count = len(list(node.outputs()))
    try:
        values = _results(node, shapes)
    except Exception:  # noqa: BLE001 - whatever an operator raises on such tensors, its shape is not known
        return (None,) * count
    if len(values) != count:
        return (None,) * count
    return tuple(tuple(value.shape) if isinstance(value, torch.Tensor) else None for value in values)


def _results(node: Any, shapes: Mapping[str, Shape | None]) -> tuple[Any, ...]:
    if node.kind() == _UNPACK:
        return tuple(_value(next(iter(node.inputs())), shapes))
    result = _run(node, shapes)
    return tuple(result) if isinstance(result, tuple) else (result,)


def _run(node: Any, shapes: Mapping[str, Shape | None]) -> Any:
    """Run an operator on tensors without values."""
    kind = _SAME_AS.get(node.kind(), node.kind())
    library, _, name = kind.partition("::")
    if library != "aten":
        raise _UnknownError(kind)
    inputs = [_value(value, shapes) for value in list(node.inputs())[: _AS_MANY_AS_GIVEN.get(kind)]]
    arguments = torch._C.parse_schema(node.schema()).arguments[: len(inputs)]
    pairs = list(zip(arguments, inputs, strict=True))
    return getattr(torch.ops.aten, name)(
        *(value for argument, value in pairs if not argument.kwarg_only),
        **{
            argument.name: value
            for argument, value in pairs
            if argument.kwarg_only and argument.name != "dtype"
        },
    )


def _value(value: Any, shapes: Mapping[str, Shape | None]) -> Any:
    """Return a constant, a tensor without values, or a list of them."""
    name, node = value.debugName(), value.node()
    shape = shapes.get(name)
    if shape is not None:
        return torch.empty(shape, device="meta")
    kind = node.kind()
    if kind == "prim::Constant":
        constant = value.toIValue()
        return constant.to("meta") if isinstance(constant, torch.Tensor) else constant
    inputs = list(node.inputs())
    if kind in _LISTS:
        return [_value(each, shapes) for each in inputs]
    if kind in _NUMBERS:
        return _value(inputs[0], shapes)
    if kind == "aten::size" and (taken := shapes.get(inputs[0].debugName())) is not None:
        return taken[inputs[1].toIValue()]
    result = _run(node, shapes)
    if not isinstance(result, list | tuple):
        raise _UnknownError(kind)
    return result
