"""Makes of a prepared ONNX graph a torch network of the same layers, on which int8 is simulated.

Layers are torch's own modules; `onnx_in_torch.py` knows further operators that torch has, and every other one
runs in onnxruntime. It knows the graph, and nothing of int8.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from onnx import ModelProto, NodeProto, ValueInfoProto
from torch import fx, nn

from bench.bundle.signature import Array, Inputs, Tensor
from bench.bundle.tensor_pack import random_pack
from export.sources.onnx_in_torch import Operands, in_torch
from export.sources.onnx_layers import attributes_of, weights_of
from export.sources.onnx_operator import OnnxOperator, Value, model_of
from export.sources.source import NotLayeredError, OnnxBase

_ERRORS_ONLY = 3
# Operators that hold graphs of their own, which may read any value.
_WITH_BODIES = frozenset({"If", "Loop", "Scan", "SequenceMap"})
# Inferences that show whether shapes depend on values.
_INFERENCES = 2
_PAIR = 2


def twin_of(base: OnnxBase, inputs: Sequence[Tensor]) -> fx.GraphModule:
    """Return the network; raises NotLayeredError where the graph cannot be one of layers on one tensor.

    `inputs`: those of one inference. The network takes several of them joined along their first axis.
    """
    _refuse_unfit(base.model, inputs)
    return _Twin(base.model, inputs).network()


def _refuse_unfit(model: ModelProto, inputs: Sequence[Tensor]) -> None:
    if len(inputs) != 1:
        raise NotLayeredError(f"the model has {len(inputs)} inputs, and int8 is simulated on one")
    if not inputs[0].sizes:
        raise NotLayeredError("the model's input is a single number")
    bodies = sorted({node.op_type for node in model.graph.node} & _WITH_BODIES)
    if bodies:
        raise NotLayeredError(f"the model has control flow ({', '.join(bodies)})")


@dataclass
class _Twin:
    """The network, while it is made."""

    model: ModelProto
    inputs: Sequence[Tensor]
    root: nn.Module = field(default_factory=nn.Module)
    graph: fx.Graph = field(default_factory=fx.Graph)
    nodes: dict[str, fx.Node] = field(default_factory=dict)
    """The nodes of the values that depend on the input."""

    def __post_init__(self) -> None:
        self.stored = dict(weights_of(self.model))
        first, second = (_values(self.model, self.inputs, number) for number in range(_INFERENCES))
        self.examples = first
        self.shapes_vary = {name for name, value in first.items() if value.shape != second[name].shape}

    def network(self) -> fx.GraphModule:
        """Return the network, its operators in the graph's order."""
        source = self.model.graph.input[0].name
        self.nodes[source] = self.graph.placeholder("image")
        products: dict[str, NodeProto] = {}
        for node in self.model.graph.node:
            if not any(name in self.nodes or name in products for name in node.input):
                continue
            if (layer := self._layer_of(node)) is None:
                self._add_operator(node, products)
            elif node.op_type == "MatMul":
                products[node.output[0]] = node
            else:
                self._add_layer(layer, node, node.input[0], node.output[0])
        if not self._has_layers:
            raise NotLayeredError("the model has no convolution over images and no product with a matrix")
        outputs = [self._output(value.name) for value in self.model.graph.output]
        self.graph.output(outputs[0] if len(outputs) == 1 else tuple(outputs))
        for name, node in self.nodes.items():
            node.meta = {"shape": self.examples[name].shape}
        network = fx.GraphModule(self.root, self.graph).requires_grad_(False).eval()
        assert isinstance(network, fx.GraphModule)
        return network

    @property
    def _has_layers(self) -> bool:
        return any(isinstance(module, nn.Conv2d | nn.Linear) for module in self.root.modules())

    def _output(self, name: str) -> fx.Node:
        if name not in self.nodes:
            raise NotLayeredError(f"the output {name} does not depend on the input")
        return self.nodes[name]

    def _layer_of(self, node: NodeProto) -> str | None:
        """Return the name of the layer that an operator computes."""
        if node.op_type not in ("Conv", "Gemm", "MatMul") or not node.input[1].endswith(".weight"):
            return None
        name = node.input[1].removesuffix(".weight")
        return name if f"{name}.bias" in self.stored else None

    def _add_layer(self, name: str, node: NodeProto, source: str, target: str) -> None:
        weight, bias = self.stored[f"{name}.weight"], self.stored[f"{name}.bias"]
        if node.op_type == "Conv":
            layer: nn.Module = _convolution(node, weight, self.examples[source].shape)
        else:
            weight = weight.T if node.op_type == "MatMul" else weight
            layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.get_parameter("weight").data = torch.from_numpy(np.array(weight, order="C"))
        layer.get_parameter("bias").data = torch.from_numpy(np.array(bias))
        self._call(name, layer, [source], target)

    def _call(self, name: str, module: nn.Module, sources: Sequence[str], target: str) -> None:
        _add_module(self.root, name, module)
        self.nodes[target] = self.graph.call_module(name, tuple(self.nodes[source] for source in sources))

    def _add_operator(self, node: NodeProto, products: dict[str, NodeProto]) -> None:
        product = next((products[name] for name in node.input if name in products), None)
        if product is not None:  # the bias of a layer
            layer = product.input[1].removesuffix(".weight")
            self._add_layer(layer, product, product.input[0], node.output[0])
            return
        for target in filter(None, node.output):
            self._add_output_of(node, target)

    def _add_output_of(self, node: NodeProto, target: str) -> None:
        sources = [name for name in node.input if name in self.nodes]
        operands = Operands(
            node=node,
            constants={
                index: value
                for index, name in enumerate(node.input)
                if name not in self.nodes and (value := self._constant(name)) is not None
            },
            shapes=tuple(self.examples[name].shape for name in sources),
            output=self.examples[target].shape,
        )
        made = in_torch(operands) if len(node.output) == 1 else None
        if made is None:
            self._call(self._free_name(node), self._operator(node, sources, target), sources, target)
        elif isinstance(made, nn.Module):
            self._call(self._free_name(node), made, sources, target)
        else:
            arguments = made.arguments([self.nodes[source] for source in sources])
            self.nodes[target] = self.graph.call_function(made.function, arguments)

    def _constant(self, name: str) -> Array | None:
        """Return a value that does not depend on the input; None for one that is left out."""
        if name == "":
            return None
        return self.stored[name] if name in self.stored else self.examples[name]

    def _operator(self, node: NodeProto, sources: Sequence[str], target: str) -> OnnxOperator:
        varying = self.shapes_vary.intersection((*sources, target))
        if varying:
            raise NotLayeredError(
                f"the shape of {sorted(varying)[0]}, beside the operator {node.op_type}, depends on the image"
            )
        inputs = [self._value(name) for name in dict.fromkeys(sources)]
        constants = {
            name: value
            for name in node.input
            if name not in self.nodes and (value := self._constant(name)) is not None
        }
        model = model_of(node, inputs, target, constants, self.model)
        return OnnxOperator(model, [self._value(name) for name in sources], self._value(target), node.op_type)

    def _value(self, name: str) -> Value:
        example = self.examples[name]
        return Value(name, example.shape, example.dtype.name)

    def _free_name(self, node: NodeProto) -> str:
        return f"{node.op_type.lower()}_{len(self.graph.nodes)}"


def _add_module(root: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module at a path below `root`."""
    *scopes, last = name.split(".")
    for scope in scopes:
        if not hasattr(root, scope):
            root.add_module(scope, nn.Module())
        root = root.get_submodule(scope)
    root.add_module(last, module)


def _values(model: ModelProto, inputs: Sequence[Tensor], number: int) -> dict[str, Array]:
    """Return every value of the graph in one of a few random inferences."""
    traced = ModelProto()
    traced.CopyFrom(model)
    own = {value.name for value in model.graph.output}
    names = [name for node in model.graph.node for name in node.output if name and name not in own]
    traced.graph.output.extend(ValueInfoProto(name=name) for name in names)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = _ERRORS_ONLY
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        traced.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    given: Inputs = random_pack(inputs, _INFERENCES).inputs(number)
    named = dict(zip([value.name for value in model.graph.input], given, strict=True))
    outputs = [value.name for value in session.get_outputs()]
    values = dict(zip(outputs, session.run(None, named), strict=True))
    for name, value in values.items():
        if not isinstance(value, np.ndarray):
            raise NotLayeredError(f"the value {name} is no tensor")
    return {**named, **values}


class _PaddedConv2d(nn.Conv2d):
    """A convolution whose padding differs from one end of an axis to the other."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the name that torch gives it
        """Pad, then convolve."""
        padded = F.pad(input, self._reversed_padding_repeated_twice)
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def _convolution(node: NodeProto, weight: Array, shape: Sequence[int]) -> nn.Conv2d:
    attributes = attributes_of(node)
    groups = int(attributes.get("group", 1))
    kernel = tuple(weight.shape[2:])
    stride = tuple(attributes.get("strides", (1, 1)))
    dilation = tuple(attributes.get("dilations", (1, 1)))
    pads = _pads(attributes, shape, kernel, stride, dilation)
    is_even = pads[:_PAIR] == pads[_PAIR:]
    kind = nn.Conv2d if is_even else _PaddedConv2d
    layer = kind(
        weight.shape[1] * groups,
        weight.shape[0],
        kernel,
        stride,
        (pads[0], pads[1]) if is_even else (0, 0),
        dilation,
        groups,
    )
    top, left, bottom, right = pads
    layer._reversed_padding_repeated_twice = [left, right, top, bottom]
    return layer


def _pads(
    attributes: Mapping[str, Any],
    shape: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> tuple[int, int, int, int]:
    """Return the padding at the top, on the left, at the bottom and on the right."""
    automatic = attributes.get("auto_pad", b"NOTSET")
    if not automatic.startswith(b"SAME"):
        top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
        return (top, left, bottom, right)
    before, after = [], []
    for axis, size in enumerate(shape[_PAIR:]):
        steps = -(-size // stride[axis])
        total = max(0, (steps - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 - size)
        small, large = total // 2, total - total // 2
        before.append(large if automatic == b"SAME_LOWER" else small)
        after.append(small if automatic == b"SAME_LOWER" else large)
    return (before[0], before[1], after[0], after[1])
