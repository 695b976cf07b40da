"""A TorchScript module's own graph: operators and, by an inference, their multiply-accumulates.

The graph states no shapes. So each convolution and matrix product is seen while it runs, below whatever
operator of the graph it belongs to: torch's profiler tells which.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.autograd.profiler import profile, record_function
from torch.utils._python_dispatch import TorchDispatchMode

from bench.bundle.model_graph import ModelGraph, operator_counts
from bench.bundle.signature import Inputs
from bench.bundle.variants import Precision
from bench.runtimes.executed import convolution_macs, matrix_macs

_MARK = "edgefit macs "
_OPERATORS = ("aten::", "quantized::", "prepacked::", "torchvision::", "prim::If", "prim::Loop")
_CONVOLUTIONS = ("aten.convolution.default", "aten._convolution.default")
_MATRICES = ("aten.mm.default", "aten.bmm.default", "aten.mv.default", "aten.dot.default")
_SUMMED = ("aten.addmm.default", "aten.baddbmm.default")  # their first argument is added to the product
_UNCOUNTED = ("lstm", "gru", "rnn", "scaled_dot_product", "_transformer", "_native_multi_head", "einsum")


def graph_of(module: torch.jit.ScriptModule, precision: Precision, inputs: Inputs | None) -> ModelGraph:
    """Return a module's graph. `inputs`: those of one inference, to count; None: nothing runs."""
    counts = Counter(
        node.kind() for node in _nodes(module.inlined_graph) if node.kind().startswith(_OPERATORS)
    )
    macs = None if inputs is None else _macs(module, inputs, counts)
    uncounted = frozenset(kind for kind in counts if _is_uncounted(kind))
    tensors = [tensor for tensor in module.state_dict().values() if isinstance(tensor, torch.Tensor)]
    return ModelGraph(
        producer=None,
        ir_version=None,
        opsets=(),
        operators=operator_counts(counts, macs, uncounted),
        parameters=None if precision is Precision.INT8 else sum(map(_weights, tensors)),
        precision=precision,
    )


def _is_uncounted(kind: str) -> bool:
    """Whether a kind of operator multiplies in a way that is not seen: quantised, or in one piece."""
    plain = kind.partition("::")[2]
    return plain.startswith(_UNCOUNTED) or (
        kind.startswith("quantized::") and plain.startswith(("conv", "linear"))
    )


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph and of the blocks in it."""
    for node in graph.nodes():
        yield node
        for block in node.blocks():
            yield from _nodes(block)


def _weights(tensor: torch.Tensor) -> int:
    """Return how many weights a tensor holds; counters and single numbers are none."""
    return tensor.numel() if tensor.is_floating_point() and tensor.dim() else 0


def _macs(module: torch.jit.ScriptModule, inputs: Inputs, counts: Mapping[str, int]) -> Counter[str]:
    """Return the multiply-accumulates of one inference by the graph's operators."""
    tensors = [torch.from_numpy(values) for values in inputs]
    with torch.inference_mode(), profile() as profiled, _Marks():  # type: ignore[no-untyped-call]
        module(*tensors)
    macs: Counter[str] = Counter()
    for event in profiled.function_events:
        if event.name.startswith(_MARK):
            macs[_operator_above(event, counts)] += int(event.name.removeprefix(_MARK))
    return macs


def _operator_above(event: Any, counts: Mapping[str, int]) -> str:
    """Return the operator of the graph that an event is part of: the outermost that the graph has."""
    names = []
    while event is not None:
        names.append(event.name)
        event = event.cpu_parent
    return next((name for name in reversed(names) if name in counts), "other operators")


class _Marks(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Marks each convolution and matrix product in the profile with its multiply-accumulates."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        count = _count(str(func), args, result)
        if count is not None:
            with record_function(f"{_MARK}{count}"):
                pass
        return result


def _count(name: str, args: Sequence[Any], result: Any) -> int | None:
    if name in _CONVOLUTIONS:
        weight, is_transposed = list(args[1].shape), args[6]
        return convolution_macs(args[0].shape if is_transposed else result.shape, weight, weight[0])
    if name in _MATRICES:
        return matrix_macs(result.shape, args[0].shape[-1])
    if name in _SUMMED:
        return matrix_macs(result.shape, args[1].shape[-1])
    return None
