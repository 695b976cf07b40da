"""Makes the network of layers that formats and int8 are made from, of any program that torch can export.

It knows torch's operators, and no format. Convolutions and linear layers become modules named after their
weights; batch norms are folded into them; dropout is removed; what else there is stays as it is.
"""

import operator
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from export.sources.any_batch import are_equal, flat, for_any_batch
from export.sources.functional_program import attribute, fold_constants, functional, remove_unused
from export.sources.source import NotLayeredError

_ops = torch.ops.aten

# Nothing is left of these in a network that is only run: their value is their first argument.
_WITHOUT_EFFECT = {
    *(_ops.clone.default, _ops.alias.default, _ops.detach.default, _ops.lift_fresh_copy.default),
    *(_ops.contiguous.default, _ops.dropout.default, _ops.feature_dropout.default),
}
_CASTS = {_ops._to_copy.default, _ops.to.dtype}
_RESHAPES = {_ops.view.default, _ops.reshape.default, _ops._unsafe_view.default}

# Functions that take the same arguments as the operator, and that quantisers know.
_FUNCTIONS: dict[object, Callable[..., Tensor]] = {
    _ops.hardswish.default: F.hardswish,
    _ops.silu.default: F.silu,
    _ops.sigmoid.default: torch.sigmoid,
    _ops.hardsigmoid.default: F.hardsigmoid,
    _ops.adaptive_avg_pool2d.default: F.adaptive_avg_pool2d,
    _ops.cat.default: torch.cat,
    _ops.mul.Tensor: operator.mul,
    _ops.permute.default: torch.permute,
    _ops.transpose.int: torch.transpose,
    _ops.matmul.default: torch.matmul,
    _ops.mean.dim: torch.mean,
}


def layered_network(program: ExportedProgram) -> fx.GraphModule:
    """Return a program's network of layers, in eval mode; its outputs are flat.

    It takes any number of samples at once if that can be. Raises NotLayeredError with the reason if there is
    no such network, or if it does not give the program's outputs.
    """
    module = functional(program)
    inputs = [_random(node) for node in module.graph.find_nodes(op="placeholder")]
    with torch.no_grad():
        expected = flat(module(*inputs))
        fold_constants(module)
        network = _Layers(module).network()
        if not are_equal(flat(network(*inputs)), expected):
            raise NotLayeredError("the network made of the program does not give the program's outputs")
        return for_any_batch(network, inputs, expected)


def _random(node: fx.Node) -> Tensor:
    value = node.meta["val"]
    if not isinstance(value, Tensor):
        raise NotLayeredError(f"its input {node.name} is no tensor")
    generator = torch.Generator().manual_seed(0)
    return torch.rand(tuple(value.shape), generator=generator).to(value.dtype)  # integers become 0


class _Layers:
    """Rewrites the graph of a functional program, and collects the modules that it then calls."""

    def __init__(self, module: fx.GraphModule) -> None:
        self._module, self._graph = module, module.graph
        self._layers: dict[str, nn.Module] = {}
        self._used: set[str] = set()

    def network(self) -> fx.GraphModule:
        for node in list(self._graph.nodes):
            self._rewrite(node)
        remove_unused(self._graph)
        self._fold_batch_norms()
        self._use_functions()
        remove_unused(self._graph)
        attributes = {str(node.target): self._own(str(node.target)) for node in self._nodes("get_attr")}
        for node in self._graph.nodes:
            node.meta = (
                {"shape": tuple(value.shape)} if isinstance(value := node.meta.get("val"), Tensor) else {}
            )
        network = fx.GraphModule({**attributes, **self._layers}, self._graph, "Network")
        network.graph.lint()
        return network.requires_grad_(False).eval()

    def _nodes(self, kind: str) -> list[fx.Node]:
        return [node for node in self._graph.nodes if node.op == kind]

    def _own(self, name: str) -> object:
        value = attribute(self._module, name)
        return value.detach().clone() if isinstance(value, Tensor) else value

    def _rewrite(self, node: fx.Node) -> None:
        if node.op != "call_function":
            return
        match node.target:
            case _ops.conv2d.default | _ops.conv2d.padding | _ops.convolution.default:
                self._convolution(node)
            case _ops.linear.default | _ops.addmm.default | _ops.mm.default:
                self._linear(node)
            case _ops.relu.default:
                self._activation(node, nn.ReLU())
            case _ops.relu6.default:
                self._activation(node, nn.ReLU6())
            case _ops.hardtanh.default | _ops.clamp.default if node.args[1:] == (0, 6):
                self._activation(node, nn.ReLU6())
            case _ops.clamp_min.default if node.args[1:] == (0,):
                self._activation(node, nn.ReLU())
            case target if target in _WITHOUT_EFFECT or (target in _CASTS and _keeps_type(node)):
                node.replace_all_uses_with(node.all_input_nodes[0])

    def _convolution(self, node: fx.Node) -> None:
        """Replace a convolution of two dimensions whose weights are constant."""
        names = ("input", "weight", "bias", "stride", "padding", "dilation")
        given = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
        is_general = node.target is _ops.convolution.default
        groups = (node.args[8] if is_general else given.get("groups", (*node.args, *[1] * 7)[6])) or 1
        weight = self._weight(given["weight"])
        if weight is None or weight.dim() != 4 or (is_general and node.args[6]):
            return
        assert isinstance(groups, int)
        layer = nn.Conv2d(
            weight.shape[1] * groups,
            weight.shape[0],
            tuple(weight.shape[2:]),  # type: ignore[arg-type]
            stride=_pair(given.get("stride"), 1),
            padding=padding if isinstance(padding := given.get("padding"), str) else _pair(padding, 0),
            dilation=_pair(given.get("dilation"), 1),
            groups=groups,
        )
        self._place(node, layer, weight, given["weight"], given["input"], given.get("bias"))

    def _linear(self, node: fx.Node) -> None:
        """Replace a product with constant weights, which `linear` transposes and `addmm` does not."""
        args = (*node.args, None)
        match node.target:
            case _ops.linear.default:
                taken, source, bias, transposed = args[0], args[1], args[2], False
            case _ops.addmm.default:
                taken, source, bias, transposed = args[1], args[2], args[0], True
                if node.kwargs:
                    return
            case _:
                taken, source, bias, transposed = args[0], args[1], None, True
        weight = self._weight(source)
        if weight is None or weight.dim() != 2:
            return
        weight = weight.t().contiguous() if transposed else weight
        if bias is not None and (self._weight(bias) is None or bias.meta["val"].dim() != 1):  # type: ignore[union-attr]
            return
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        self._place(node, layer, weight, source, taken, bias)

    def _weight(self, source: object) -> Tensor | None:
        if not isinstance(source, fx.Node) or source.op != "get_attr":
            return None
        value = attribute(self._module, str(source.target))
        return value.detach() if isinstance(value, Tensor) else None

    def _place(
        self, node: fx.Node, layer: nn.Module, weight: Tensor, source: object, taken: object, bias: object
    ) -> None:
        shift = self._weight(bias) if bias is not None else torch.zeros(len(weight), dtype=weight.dtype)
        if shift is None or weight.dtype != torch.float32:
            raise NotLayeredError(f"the weights of {node.name} are no constants of type float32")
        assert isinstance(source, fx.Node)
        layer.weight = nn.Parameter(weight.clone(), requires_grad=False)
        layer.bias = nn.Parameter(shift.clone(), requires_grad=False)
        name = self._name_of(str(source.meta.get("weight", source.target)))
        self._layers[name] = layer
        self._call(node, name, taken)

    def _name_of(self, weight: str) -> str:
        """Return the name of the module with these weights; the second one with the same gets a suffix."""
        stem = weight.removesuffix("weight").rstrip("._") or "layer"
        name, count = stem, 1
        while any(name == used or used.startswith(f"{name}.") for used in self._used):
            count += 1
            name = f"{stem}_{count}"
        self._used.add(name)
        return name

    def _activation(self, node: fx.Node, module: nn.Module) -> None:
        name = self._name_of(f"activations.{node.name}")
        self._layers[name] = module
        self._call(node, name, node.args[0])

    def _call(self, node: fx.Node, name: str, taken: object) -> None:
        assert isinstance(taken, fx.Node)
        with self._graph.inserting_before(node):
            call = self._graph.create_node("call_module", name, (taken,))
        call.meta = node.meta
        node.replace_all_uses_with(call)
        self._graph.erase_node(node)

    def _fold_batch_norms(self) -> None:
        norm = _ops._native_batch_norm_legit_no_training.default
        for node in list(self._graph.find_nodes(op="call_function", target=norm)):
            taken, *parameters = node.args[:5]
            *_, eps = node.args
            values = [self._weight(parameter) for parameter in parameters]
            layer = self._layers.get(str(taken.target)) if isinstance(taken, fx.Node) else None
            with self._graph.inserting_before(node):
                if _is_foldable(taken, layer) and all(value is not None for value in values[2:]):
                    _fold(layer, values, eps)
                    result = taken
                else:
                    weight, bias, mean, variance = parameters
                    result = self._graph.call_function(
                        F.batch_norm, (taken, mean, variance, weight, bias, False, 0.0, eps)
                    )
                    result.meta = {"val": node.meta["val"][0]}
            for user in list(node.users):
                user.replace_all_uses_with(result)
                self._graph.erase_node(user)
            self._graph.erase_node(node)

    def _use_functions(self) -> None:
        """Write operators as the functions that quantisers know, and reshape for any number of samples."""
        for node in self._nodes("call_function"):
            if node.target is _ops.add.Tensor and not node.kwargs and len(node.all_input_nodes) == 2:
                node.target = operator.add
            elif node.target in _FUNCTIONS:
                node.target = _FUNCTIONS[node.target]
            elif node.target in _RESHAPES:
                self._reshape(node)

    def _reshape(self, node: fx.Node) -> None:
        taken, shape = node.args[0], tuple(node.meta["val"].shape)
        assert isinstance(taken, fx.Node)
        before = tuple(taken.meta["val"].shape)
        kept = len(shape) - 1
        if shape[:kept] == before[:kept] and len(before) > len(shape) > 1:
            node.target, node.args = torch.flatten, (taken, kept)
        else:
            node.target, node.args = torch.reshape, (taken, shape)


def _keeps_type(node: fx.Node) -> bool:
    return bool(node.meta["val"].dtype == node.all_input_nodes[0].meta["val"].dtype)


def _pair(value: object, usual: int) -> tuple[int, int]:
    """Return a value for both dimensions."""
    values = [usual] if value is None else list(value) if isinstance(value, Sequence) else [value]
    first, last = values[0], values[-1]
    assert isinstance(first, int)
    assert isinstance(last, int)
    return first, last


def _is_foldable(taken: object, layer: nn.Module | None) -> bool:
    if not isinstance(taken, fx.Node) or layer is None or len(taken.users) != 1:
        return False
    return isinstance(layer, nn.Conv2d) or (isinstance(layer, nn.Linear) and taken.meta["val"].dim() == 2)


def _fold(layer: nn.Module | None, values: Sequence[Tensor | None], eps: object) -> None:
    weight, bias, mean, variance = values
    assert layer is not None
    assert mean is not None
    assert variance is not None
    assert isinstance(eps, float)
    scale = (1.0 if weight is None else weight) / torch.sqrt(variance + eps)
    own, shift = layer.get_parameter("weight"), layer.get_parameter("bias")
    own.mul_(scale.reshape(-1, *[1] * (own.dim() - 1)))
    shift.sub_(mean).mul_(scale).add_(0.0 if bias is None else bias)
