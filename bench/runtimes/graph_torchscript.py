"""A TorchScript module's own graph: operators and, by an inference, their multiply-accumulates.

The graph states no shapes. So each convolution and matrix product is seen while it runs, below whatever
operator of the graph it belongs to: torch's profiler tells which.
"""

import re
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
_ATTENTION = "aten._scaled_dot_product_flash_attention_for_cpu.default"
_QUANTISED_CONVOLUTION = re.compile(r"quantized\.conv([123]d)(_relu)?\.new")
_QUANTISED_MATRIX = re.compile(r"quantized\.linear(_relu)?\.default")
_PACKED = re.compile(r"quantized::(conv[123]d|linear)")
_UNCOUNTED = re.compile(
    r"aten::(lstm|gru|rnn|_transformer|_native_multi_head)|quantized::.*(dynamic|transpose)"
)


def graph_of(module: torch.jit.ScriptModule, precision: Precision, inputs: Inputs | None) -> ModelGraph:
    """Return a module's graph. `inputs`: those of one inference, to count; None: nothing runs."""
    # Branches that evaluation never takes are left out, and nothing is fused.
    frozen = torch.jit.freeze(module, optimize_numerics=False)
    nodes = list(_nodes(frozen.inlined_graph))
    counts = Counter(node.kind() for node in nodes if node.kind().startswith(_OPERATORS))
    return ModelGraph(
        producer=None,
        ir_version=None,
        opsets=(),
        operators=operator_counts(
            counts,
            None if inputs is None else _macs(frozen, inputs, counts),
            frozenset(kind for kind in counts if _UNCOUNTED.match(kind)),
        ),
        parameters=_parameters(module, nodes, precision),
        precision=precision,
    )


def _parameters(module: torch.jit.ScriptModule, nodes: Sequence[Any], precision: Precision) -> int | None:
    """Return how many weights a module holds; None if it packs some in a way that cannot be read.

    Those of a frozen or quantised module are constants of its graph.
    """
    parameters = sum(tensor.numel() for tensor in module.parameters())
    if parameters and precision is not Precision.INT8:
        return parameters
    packed = [_packed_weights(node) for node in nodes if _PACKED.match(node.kind())]
    known = [count for count in packed if count is not None]
    return None if len(known) < len(packed) else sum(known) + sum(map(_weights, nodes))


def _packed_weights(node: Any) -> int | None:
    packed = list(node.inputs())[1].toIValue()
    match = _PACKED.match(node.kind())
    if packed is None or match is None:
        return None
    unpack = getattr(torch.ops.quantized, f"{match[1]}_unpack")
    return sum(int(tensor.numel()) for tensor in unpack(packed) if tensor is not None)


def _weights(node: Any) -> int:
    if node.kind() != "prim::Constant" or not node.hasAttribute("value") or node.kindOf("value") != "t":
        return 0
    tensor = node.t("value")
    return tensor.numel() if tensor.is_floating_point() and tensor.dim() else 0


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph and of the blocks in it."""
    for node in graph.nodes():
        yield node
        for block in node.blocks():
            yield from _nodes(block)


def _macs(module: torch.jit.ScriptModule, inputs: Inputs, counts: Mapping[str, int]) -> Counter[str]:
    """Return the multiply-accumulates of one inference by the graph's operators."""
    tensors = [torch.from_numpy(values) for values in inputs]
    # In inference mode torch would not take composed operators apart, and none of their parts would be seen.
    with torch.no_grad(), profile() as profiled, _Marks():  # type: ignore[no-untyped-call]
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
    if name == _ATTENTION:
        queries, keys, values = (tensor.shape for tensor in args[:3])
        return matrix_macs(queries, keys[-2]) + matrix_macs((*queries[:-1], values[-1]), keys[-2])
    if match := _QUANTISED_CONVOLUTION.fullmatch(name):
        unpack = getattr(torch.ops.quantized, f"conv{match[1]}_unpack")
        weight = list(unpack(args[1])[0].shape)
        return convolution_macs(result.shape, weight, weight[0])
    if _QUANTISED_MATRIX.fullmatch(name):
        return matrix_macs(result.shape, args[0].shape[-1])
    return None
