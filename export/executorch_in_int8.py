"""Which tensors of a network are in int8 in an ExecuTorch program: a quantiser for torchao's PT2E.

XNNPACK's own quantiser takes every operator that it can, and knows no recipe. It knows torch.export's graphs
and how XNNPACK fuses them: a layer with the activation function behind it, and a sum with its own.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from executorch.backends.xnnpack.quantizer.xnnpack_quantizer_utils import propagate_annotation
from torch import fx
from torchao.quantization.pt2e import (
    HistogramObserver,
    MinMaxObserver,
    PerChannelMinMaxObserver,
    PlaceholderObserver,
)
from torchao.quantization.pt2e.quantizer import QuantizationAnnotation, QuantizationSpec, Quantizer
from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY

from bench.bundle.recipe import RangeMethod, Recipe
from export.quantisation.simulation import Range, sums_in_int8, weighted

_ATEN = torch.ops.aten
_LAYERS = (_ATEN.conv2d.default, _ATEN.conv2d.padding, _ATEN.linear.default)
_SUMS = (_ATEN.add.Tensor, _ATEN.add_.Tensor)
_ACTIVATIONS = (_ATEN.relu.default, _ATEN.relu_.default, _ATEN.hardtanh.default, _ATEN.hardtanh_.default)
# A mean in int8 would have the range of what it takes, of which it needs the lowest part.
_MEANS = (_ATEN.mean.dim, _ATEN.mean.default, _ATEN.adaptive_avg_pool2d.default)
_DEQUANTISE = torch.ops.quantized_decomposed.dequantize_per_tensor.default
_OBSERVERS = {RangeMethod.MIN_MAX: MinMaxObserver, RangeMethod.HISTOGRAM: HistogramObserver}


class UnknownLayersError(Exception):
    """Layers or sums of a network that its exported graph does not have under their names."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(f"torch.export left out, or renamed: {', '.join(sorted(names))}")


class RecipeQuantiser(Quantizer):  # type: ignore[misc]
    """Puts into int8 what a recipe does not exclude, as the simulation of int8 has it."""

    def __init__(self, network: fx.GraphModule, recipe: Recipe, weight_level: int) -> None:
        super().__init__()
        layers = {node.name: name for name, node in weighted(network).items()}
        (results,) = network.graph.find_nodes(op="output")
        self._layers = {node for node, name in layers.items() if name not in recipe.excluded_modules}
        self._last = {node.name for node in results.all_input_nodes if set(node.users) == {results}}
        self._sums = {node.name for node in sums_in_int8(network)}
        self._value = _activations(_OBSERVERS[recipe.ranges])
        self._weight = _weights(weight_level)

    def annotate(self, model: fx.GraphModule) -> fx.GraphModule:
        """Note at each node which of its inputs and outputs are in int8."""
        found = set()
        for node in model.graph.nodes:
            source = _source(node)
            if node.target in _LAYERS and source in self._layers:
                found.add(source)
                self._annotate_layer(node, source)
            elif node.target in _SUMS and source in self._sums:
                found.add(source)
                _annotate(node, dict.fromkeys(node.all_input_nodes, self._value), self._value)
            elif node.target in _MEANS:
                _leave_in_float(node)
        if missing := (self._layers | self._sums) - found:
            raise UnknownLayersError(missing)
        propagate_annotation(model)
        return model

    def _annotate_layer(self, node: fx.Node, source: str) -> None:
        """Note a layer. The last one gives floats, or scores beyond those of calibration would be clipped."""
        taken, weight, *_ = node.all_input_nodes
        is_last = source in self._last and node.target is _ATEN.linear.default
        value = _in_flight() if is_last else self._value
        _annotate(node, {taken: value, weight: self._weight}, None if is_last else self._value)

    def validate(self, model: fx.GraphModule) -> None:
        """Accept every graph."""


def ranges_of(prepared: fx.GraphModule, ranges: Mapping[str, Range]) -> dict[MinMaxObserver, Range | None]:
    """Return the observers of smallest and largest values, each with the range of what it observes.

    `ranges`: by the names of the network's nodes. A range that is not among them is None.
    """
    return {
        observer: ranges.get(_source(observed) or observed.name)
        for node in prepared.graph.find_nodes(op="call_module")
        for observed in node.all_input_nodes
        if isinstance(observer := prepared.get_submodule(str(node.target)), MinMaxObserver)
    }


def put_range(observer: MinMaxObserver, range_: Range) -> None:
    """Replace what an observer has seen."""
    observer.min_val.copy_(torch.tensor(range_.low))
    observer.max_val.copy_(torch.tensor(range_.high))


def dequantise_for_each(model: fx.GraphModule) -> None:
    """Give each operator that reads a dequantised value a dequantisation of its own.

    XNNPACK's exporter leaves a dequantisation out where an operator in int8 follows. An operator in float
    that read the same one would then be given integers, and the program could not be loaded.
    """
    for node in model.graph.find_nodes(op="call_function", target=_DEQUANTISE):
        for reader in list(node.users)[1:]:
            with model.graph.inserting_after(node):
                reader.replace_input_with(node, model.graph.node_copy(node))
    model.recompile()


def _annotate(
    node: fx.Node, inputs: dict[fx.Node, QuantizationSpec], output: QuantizationSpec | None
) -> None:
    """Note an operator, and the activation function that XNNPACK computes with it."""
    follower = next(iter(node.users)) if len(node.users) == 1 else None
    if follower is not None and follower.target in _ACTIVATIONS:
        node.meta[Q_ANNOTATION_KEY] = QuantizationAnnotation(input_qspec_map=inputs, _annotated=True)
        follower.meta[Q_ANNOTATION_KEY] = QuantizationAnnotation(output_qspec=output, _annotated=True)
    else:
        node.meta[Q_ANNOTATION_KEY] = QuantizationAnnotation(
            input_qspec_map=inputs, output_qspec=output, _annotated=True
        )


def _leave_in_float(node: fx.Node) -> None:
    """Note that an operator is in float, or it would take over the range of the one before it."""
    node.meta[Q_ANNOTATION_KEY] = QuantizationAnnotation(_annotated=True)


def _source(node: fx.Node) -> str | None:
    """Return the name of the network's node that a node was exported from."""
    sources = node.meta.get("from_node")
    while sources:
        name, sources = sources[0].name, sources[0].from_node
    return name if node.meta.get("from_node") else None


def _activations(observer: Any) -> QuantizationSpec:
    return QuantizationSpec(
        dtype=torch.int8,
        quant_min=-128,
        quant_max=127,
        qscheme=torch.per_tensor_affine,
        observer_or_fake_quant_ctr=observer.with_args(),
    )


def _in_flight() -> QuantizationSpec:
    """Return how values are quantised in each inference anew, of which XNNPACK makes floats again."""
    return QuantizationSpec(
        dtype=torch.int8,
        quant_min=-128,
        quant_max=127,
        qscheme=torch.per_tensor_affine,
        is_dynamic=True,
        observer_or_fake_quant_ctr=PlaceholderObserver.with_args(),
    )


def _weights(level: int) -> QuantizationSpec:
    return QuantizationSpec(
        dtype=torch.int8,
        quant_min=-level,
        quant_max=level,
        qscheme=torch.per_channel_symmetric,
        ch_axis=0,
        observer_or_fake_quant_ctr=PerChannelMinMaxObserver.with_args(),
    )
