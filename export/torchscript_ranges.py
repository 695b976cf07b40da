"""The ranges of an int8 TorchScript file: what torch's observers see, and how far apart scales may be.

It knows torch's observers and QNNPACK's limits, and no recipe.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.ao.quantization import FixedQParamsObserver
from torch.ao.quantization.observer import UniformQuantizationObserverBase as Observer
from torch.nn import functional as F

from export.quantisation.saturation import distinguished
from export.quantisation.simulation import is_sum, weighted

# QNNPACK adds tensors whose scales are from 2**-14 of the sum's to below 2**8 of it, and refuses others. A
# tensor below that share is less than a step of the sum, and a sum below it less than a step of its operands.
_SMALLEST_SHARE, _LARGEST_SHARE = 2.0**-14, 2.0**7


def observe_within_bounds(observed: fx.GraphModule, network: fx.GraphModule) -> None:
    """Let the observers of layers see no values that the functions which read them do not distinguish."""
    nodes = {node.name: node for node in observed.graph.nodes}
    for node in weighted(network).values():
        bounds = distinguished(network, node)
        for reader in nodes[node.name].users:
            if isinstance(observer := _module(observed, reader), Observer):
                observer.register_forward_pre_hook(_clamp(*bounds))


def _clamp(low: float, high: float) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...]]:
    return lambda _, inputs: (inputs[0].clamp(low, high), *inputs[1:])


@dataclass(frozen=True)
class Sum:
    """The names of the observers of a sum. An observer of several tensors has one name."""

    operands: tuple[str, ...]
    """Those of what is added."""
    result: str
    """That of the sum."""


def limit_scales_of_sums(observed: fx.GraphModule) -> None:
    """Widen ranges that are so small beside others of the same sum that QNNPACK would refuse to add."""
    observers = {name: module for name, module in observed.named_modules() if isinstance(module, Observer)}
    sums = list(_sums_in_int8(observed, {observer: name for name, observer in observers.items()}))
    found = {name: _parameters(observers[name]) for sum_ in sums for name in (*sum_.operands, sum_.result)}
    scales = widened({name: scale for name, (scale, _) in found.items()}, sums)
    for name, (scale, zero) in found.items():
        if scales[name] != scale:
            _replace(observed, observers[name], scales[name], zero)


def widened(scales: Mapping[str, float], sums: Sequence[Sum]) -> dict[str, float]:
    """Return scales that QNNPACK adds: none smaller than before, and none larger than the largest was."""
    scales = dict(scales)
    before: dict[str, float] = {}
    while scales != before:
        before = dict(scales)
        for sum_ in sums:
            largest = max(scales[name] for name in sum_.operands)
            scales[sum_.result] = max(scales[sum_.result], largest / _LARGEST_SHARE)
            for name in sum_.operands:
                scales[name] = max(scales[name], scales[sum_.result] * _SMALLEST_SHARE)
    return scales


def _sums_in_int8(observed: fx.GraphModule, names: Mapping[nn.Module, str]) -> Iterator[Sum]:
    """Yield the sums of which torch observes every operand and the result, after a ReLU if one is fused."""
    for node in observed.graph.nodes:
        if not is_sum(node):
            continue
        operands = [_name_of(names, observed, operand) for operand in node.all_input_nodes]
        results = [_name_of(names, observed, reader) for reader in _after_relu(observed, node).users]
        if all(operands) and any(results):
            yield Sum(tuple(name for name in operands if name), next(name for name in results if name))


def _name_of(names: Mapping[nn.Module, str], observed: fx.GraphModule, node: fx.Node) -> str | None:
    module = _module(observed, node)
    return None if module is None else names.get(module)


def _after_relu(observed: fx.GraphModule, node: fx.Node) -> fx.Node:
    readers = list(node.users)
    if len(readers) != 1:
        return node
    is_relu = isinstance(_module(observed, readers[0]), nn.ReLU) or readers[0].target in (F.relu, torch.relu)
    return readers[0] if is_relu else node


def _module(observed: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    return observed.get_submodule(str(node.target)) if node.op == "call_module" else None


def _parameters(observer: Observer) -> tuple[float, int]:
    scale, zero = observer.calculate_qparams()  # type: ignore[no-untyped-call]
    return float(scale), int(zero)


def _replace(observed: fx.GraphModule, observer: Observer, scale: float, zero: int) -> None:
    """Give every tensor of an observer a fixed scale."""
    fixed = FixedQParamsObserver(scale, zero)  # type: ignore[no-untyped-call]
    for name, module in list(observed.named_modules(remove_duplicate=False)):
        if module is observer:
            observed.set_submodule(name, fixed)
