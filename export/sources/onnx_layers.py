"""Gives the layers of a prepared ONNX graph one form: weights named after the layer, and always a bias.

A layer is a convolution over images, or a product with a matrix, whose weights the file stores. It knows the
graph, and neither torch nor how anything is quantised.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from bench.bundle.signature import Array
from export.sources.source import OnnxBase

_GEMM, _PRODUCT = "Gemm", "MatMul"
_OPERATORS = ("Conv", _GEMM, _PRODUCT)
_FUSED = re.compile(r"^(?:Conv\w*?Fusion_(?:\w+_)?W_)+")
_OF_FUSION = re.compile(r"[./]MatMulAddFusion$")
_REPEATED = re.compile(r"_token_\d+$")
_NOT_IN_NAMES = re.compile(r"[^0-9A-Za-z_]+")
# Attributes of torch's modules, which no layer may be called.
_RESERVED = frozenset({"weight", "bias", "forward", "training", "graph", "code", "T"})

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class WeightedNode:
    """A layer of the graph, before it has its form."""

    node: NodeProto
    """The operator."""
    weight: Floats
    """Its weights, in torch's layout unless `is_product`."""
    bias: Floats | None
    """Its bias [out]; None: it has none of its own."""

    @property
    def is_product(self) -> bool:
        """Whether it is a MatMul, whose weights are [in, out] and whose bias is added by another operator."""
        return self.node.op_type == _PRODUCT

    @property
    def outputs(self) -> int:
        """How many channels it gives."""
        return int(self.weight.shape[-1 if self.is_product else 0])


def attributes_of(node: NodeProto) -> dict[str, Any]:
    """Return an operator's attributes by name."""
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def with_layers(model: ModelProto) -> OnnxBase:
    """Return a copy in which the weights of each layer `x` are `x.weight` and `x.bias`."""
    changed = ModelProto()
    changed.CopyFrom(model)
    _name_nodes(changed)
    _replace_sums(changed)
    layers = list(_layers(changed))
    names = _names(changed, layers)
    transposed = set()
    for layer, name in zip(layers, names, strict=True):
        _form(changed, layer, name)
        if layer.is_product:
            transposed.add(name)
    _remove_unused(changed)
    return OnnxBase(changed, frozenset(transposed))


def _name_nodes(model: ModelProto) -> None:
    """Give every operator a name of its own."""
    used = Counter(node.name for node in model.graph.node)
    for index, node in enumerate(model.graph.node):
        if not node.name or used[node.name] > 1:
            node.name = f"{node.name or node.op_type}_{index}"


def _replace_sums(model: ModelProto) -> None:
    """Write a Sum of two tensors as what it is: Add, which runtimes quantise."""
    for node in model.graph.node:
        if node.op_type == "Sum" and len(node.input) == 2:
            node.op_type = "Add"


def _layers(model: ModelProto) -> Iterator[WeightedNode]:
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx") or len(node.input) < 2 or node.input[1] not in stored:
            continue
        if node.input[0] in stored or stored[node.input[1]].data_type != TensorProto.FLOAT:
            continue
        weight = numpy_helper.to_array(stored[node.input[1]])
        has_bias = len(node.input) > 2 and node.input[2] != ""
        bias = stored.get(node.input[2]) if has_bias else None
        if not has_bias or bias is not None:
            layer = _layer(node, weight, None if bias is None else numpy_helper.to_array(bias))
            if layer is not None:
                yield layer


def _layer(node: NodeProto, weight: Array, bias: Array | None) -> WeightedNode | None:
    match node.op_type, weight.ndim:
        case ("Conv", 4):
            return WeightedNode(node, weight, bias)
        case ("Gemm", 2):
            return _gemm(node, weight, bias)
        case ("MatMul", 2):
            return WeightedNode(node, weight, None)
        case _:
            return None


def _gemm(node: NodeProto, weight: Array, bias: Array | None) -> WeightedNode | None:
    """Return a Gemm's layer with its factors in the weights; None where its bias is no vector."""
    attributes = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0, **attributes_of(node)}
    weight = np.asarray(weight if attributes["transB"] else weight.T) * np.float32(attributes["alpha"])
    if attributes["transA"] or (bias is not None and bias.size not in (1, len(weight))):
        return None
    if bias is not None:
        bias = np.broadcast_to(bias.reshape(-1) * np.float32(attributes["beta"]), (len(weight),))
    return WeightedNode(node, np.ascontiguousarray(weight, dtype=np.float32), bias)


def _names(model: ModelProto, layers: list[WeightedNode]) -> list[str]:
    """Return a name for each layer that is a path of modules, none of which is part of another."""
    taken = _kept_names(model, layers)
    names: list[str] = []
    for layer in layers:
        name = readable_name(layer.node)
        if not _is_free(name, names, taken):
            name = name.replace(".", "_")
        number, first = 2, name
        while not _is_free(name, names, taken):
            name, number = f"{first}_{number}", number + 1
        names.append(name)
    return names


def _kept_names(model: ModelProto, layers: list[WeightedNode]) -> frozenset[str]:
    """Return the names of all values but the layers' weights."""
    own = {layer.node.name for layer in layers}
    names = {value.name for value in (*model.graph.input, *model.graph.output)}
    for node in model.graph.node:
        names.update(node.output)
        names.update(node.input[:1] if node.name in own else node.input)
    return frozenset(names)


def _is_free(name: str, names: list[str], taken: frozenset[str]) -> bool:
    if name.partition(".")[0] in _RESERVED or taken & {f"{name}.weight", f"{name}.bias"}:
        return False
    return not any(
        name == other or name.startswith(f"{other}.") or other.startswith(f"{name}.") for other in names
    )


def readable_name(node: NodeProto) -> str:
    """Return what to call a layer: its weights' name if they have one as in torch, else the operator's.

    torch's older exporter writes `/layer1/layer1.0/conv1/Conv` for `layer1.0.conv1`.
    """
    weight = _REPEATED.sub("", _FUSED.sub("", node.input[1]))
    if weight.endswith(".weight"):
        return _path(weight.removesuffix(".weight").split("."))
    parts = [part for part in _OF_FUSION.sub("", node.name).split("/") if part]
    if len(parts) > 1 and re.fullmatch(rf"{node.op_type}(_\d+)?", parts[-1]):
        parts.pop()
    scopes: list[str] = []
    for part in parts:
        if scopes and part.startswith(f"{scopes[-1]}."):
            scopes.pop()
        scopes.append(part)
    return _path([word for scope in scopes for word in scope.split(".")])


def _path(words: list[str]) -> str:
    cleaned = [_NOT_IN_NAMES.sub("_", word) for word in words]
    path = ".".join(word for word in cleaned if word) or "layer"
    return f"layer_{path}" if path.partition(".")[0] in _RESERVED else path


def _form(model: ModelProto, layer: WeightedNode, name: str) -> None:
    """Give a layer weights and a bias of its own under its name."""
    node = layer.node
    weight, bias = f"{name}.weight", f"{name}.bias"
    zeros = np.zeros(layer.outputs, dtype=np.float32)
    values = zeros if layer.bias is None else layer.bias
    model.graph.initializer.append(numpy_helper.from_array(layer.weight, weight))
    if layer.is_product:
        node.input[1] = weight
        _add_bias(model, node, bias, zeros)
        return
    model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), bias))
    del node.input[1:]
    node.input.extend([weight, bias])
    if node.op_type == _GEMM:
        del node.attribute[:]
        node.attribute.append(helper.make_attribute("transB", 1))


def _add_bias(model: ModelProto, product: NodeProto, bias: str, zeros: Floats) -> None:
    """Name the bias that is added to a product; add one of zeros where nothing is added."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    output = product.output[0]
    users = [node for node in model.graph.node if output in node.input]
    is_output = output in {value.name for value in model.graph.output}
    if len(users) == 1 and users[0].op_type == "Add" and not is_output:
        added = next((stored[name] for name in users[0].input if name in stored), None)
        if added is not None and tuple(added.dims) == zeros.shape:
            values = numpy_helper.to_array(added)
            model.graph.initializer.append(numpy_helper.from_array(values, bias))
            del users[0].input[:]
            users[0].input.extend([output, bias])
            return
    model.graph.initializer.append(numpy_helper.from_array(zeros, bias))
    product.output[0] = f"{bias}.product"
    index = list(model.graph.node).index(product)
    add = helper.make_node("Add", [product.output[0], bias], [output], f"{product.name}_bias")
    model.graph.node.insert(index + 1, add)


def layer_of(node: NodeProto, stored: Collection[str]) -> str | None:
    """Return the name of the layer that an operator of such a graph computes; None if it computes none.

    `stored`: the names of the values that the graph stores.
    """
    if node.op_type not in _OPERATORS or not node.input[1].endswith(".weight"):
        return None
    name = node.input[1].removesuffix(".weight")
    return name if f"{name}.weight" in stored and f"{name}.bias" in stored else None


def _remove_unused(model: ModelProto) -> None:
    graph = model.graph
    used = {value.name for value in graph.output} | set(_inputs_of_all(graph.node))
    # A layer's own values were added last, and its name may be that of its weights in the file.
    kept = {tensor.name: tensor for tensor in graph.initializer if tensor.name in used}
    del graph.initializer[:]
    graph.initializer.extend(kept.values())


def _inputs_of_all(nodes: Iterable[NodeProto]) -> Iterator[str]:
    """Yield the names that operators read, in the bodies of loops and branches too."""
    for node in nodes:
        yield from node.input
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _inputs_of_all(graph.node)
                yield from (value.name for value in graph.output)


def weights_of(model: ModelProto) -> Mapping[str, Array]:
    """Return the values that a graph stores, by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
