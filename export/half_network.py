"""A network that computes in half precision, but for what half precision cannot hold. It knows no format.

It knows torch.fx graphs: each node is computed in half or in float, and between the two values are converted.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, fx
from torch.utils import _pytree as pytree

from bench.bundle.signature import Inputs
from bench.bundle.signature import Tensor as Described
from export.half_precision import Floats, Halving, Unfit, halved, of_values
from export.sources.functional_program import attribute

_FLOAT = "float32"
_NAMED = ("call_module", "get_attr")


@dataclass
class _Value:
    """What is known of a node's value, from a few inferences in float."""

    dtype: torch.dtype | None = None
    """The type of the floats in it; None if it has none."""
    is_many: bool = False
    """Whether it is several tensors, such as the parts of one."""
    largest: float = 0.0
    """The largest absolute value in it that is finite."""


class _Observing(fx.Interpreter):
    """Runs a network, and notes what each of its nodes gives."""

    def __init__(self, network: fx.GraphModule) -> None:
        super().__init__(network)
        self.values: dict[str, _Value] = {}

    def run_node(self, node: fx.Node) -> Any:
        value = super().run_node(node)
        known = self.values.setdefault(node.name, _Value())
        for leaf in pytree.tree_leaves(value):
            if isinstance(leaf, Tensor) and leaf.is_floating_point():
                known.is_many = leaf is not value
                known.dtype = leaf.dtype
                known.largest = max(known.largest, _largest(leaf))
        return value


def _largest(value: Tensor) -> float:
    finite = value[value.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0


@torch.no_grad()
def in_half(
    network: fx.GraphModule, samples: Iterable[Inputs], outputs: Sequence[Described], halving: Halving
) -> fx.GraphModule:
    """Return a network that computes in half precision, and takes and gives what `network` does.

    In float stay layers whose weights half precision cannot hold, and whatever takes or gives values that it
    cannot hold, by the largest ones on the samples. `halving` receives the names of these layers.
    """
    observing = _Observing(network)
    for inputs in samples:
        observing.run(*map(torch.from_numpy, inputs))
    half = _Half(network, observing.values, halving)
    half.convert_between()
    half.convert_outputs([output.dtype for output in outputs])
    return half.finished()


class _Half:
    """A copy of a network in half precision, while its nodes are told apart."""

    def __init__(self, network: fx.GraphModule, values: dict[str, _Value], halving: Halving) -> None:
        self._network, self._values = network, values
        self._half = copy.deepcopy(network).half()
        self._in_float = self._found_in_float(halving)
        self._converted: dict[tuple[fx.Node, str], fx.Node] = {}
        for node in self._in_float:
            self._keep_in_float(node)

    def _found_in_float(self, halving: Halving) -> set[fx.Node]:
        """Return the nodes that are computed in float, and note the layers among them."""
        in_float: set[fx.Node] = set()
        for node in self._half.graph.nodes:
            weight, why = self._weight_of(node), self._why_not_its_values(node)
            is_unfit = False
            if weight is not None and (why is None or isinstance(halved(weight[1]), Unfit)):
                is_unfit = halving.half(*weight) is None
            elif why is not None and (weight is not None or self._is_origin(node)):
                halving.keep_in_fp32(str(node.target) if node.op in _NAMED else node.name, why)
            if why is not None or is_unfit or _asks_for_float(node) or self._has_to_follow(node, in_float):
                in_float.add(node)
        return in_float

    def _weight_of(self, node: fx.Node) -> tuple[str, Floats] | None:
        """Return the name and the values of the weights that a node has, or is; None if it has none."""
        if node.op == "get_attr":
            name, weight = str(node.target), attribute(self._network, str(node.target))
        elif node.op == "call_module":
            name = f"{node.target}.weight"
            weight = getattr(self._network.get_submodule(str(node.target)), "weight", None)
        else:
            return None
        if isinstance(weight, Tensor) and weight.dtype == torch.float32 and weight.dim() > 1:
            return name, weight.detach().numpy()
        return None

    def _why_not_its_values(self, node: fx.Node) -> Unfit | None:
        """Return why half precision cannot hold what a node gives or takes; None if it can."""
        nodes = () if node.op == "output" else (node, *node.all_input_nodes)
        reasons = (of_values(self._values[each.name].largest) for each in nodes)
        return next((why for why in reasons if why is not None), None)

    def _is_origin(self, node: fx.Node) -> bool:
        """Tell whether values that half precision cannot hold are first computed by a node."""
        taken = (of_values(self._values[each.name].largest) for each in node.all_input_nodes)
        return node.op not in ("placeholder", "get_attr") and not any(taken)

    def _has_to_follow(self, node: fx.Node, in_float: set[fx.Node]) -> bool:
        """Tell whether a node reads weights, or several tensors, that are in float."""
        return any(
            read.op == "get_attr" or self._values[read.name].is_many
            for read in node.all_input_nodes
            if read in in_float
        )

    def _keep_in_float(self, node: fx.Node) -> None:
        """Give a node its own module or constant as it was. Other nodes may use the same one in half."""
        if node.op == "call_module":
            original, node.target = str(node.target), f"{node.target}_in_float"
            self._half.add_submodule(node.target, copy.deepcopy(self._network.get_submodule(original)))
        elif node.op == "get_attr":
            constant = cast("Tensor", attribute(self._network, str(node.target)))
            node.target = f"{node.name}_in_float"
            self._half.register_buffer(node.target, constant.detach().clone())

    def convert_between(self) -> None:
        """Have each node read floats in the precision in which it computes."""
        for node in list(self._half.graph.nodes):
            if node.op not in ("placeholder", "get_attr", "output"):
                wanted = "float" if node in self._in_float else "half"
                for read in node.all_input_nodes:
                    node.replace_input_with(read, self._as(read, wanted))

    def convert_outputs(self, dtypes: Sequence[str]) -> None:
        """Have the network give floats where the source does."""
        results = self._half.graph.output_node()
        kinds = iter(dtypes)
        results.args = fx.map_arg(
            results.args, lambda node: self._as(node, "float") if next(kinds) == _FLOAT else node
        )

    def _as(self, node: fx.Node, wanted: str) -> fx.Node:
        """Return a node's value as `half` or `float`; what is no tensor of floats stays what it is."""
        value = self._values[node.name]
        is_given = node.op == "placeholder" and value.dtype is not torch.float16
        is_wanted = (is_given or node in self._in_float) == (wanted == "float")
        if value.dtype is None or value.is_many or is_wanted:
            return node
        if (node, wanted) not in self._converted:
            with self._half.graph.inserting_after(node):
                self._converted[node, wanted] = self._half.graph.call_method(wanted, (node,))
        return self._converted[node, wanted]

    def finished(self) -> fx.GraphModule:
        """Return the network."""
        self._half.delete_all_unused_submodules()
        self._half.graph.lint()
        self._half.recompile()
        return self._half


def _asks_for_float(node: fx.Node) -> bool:
    """Tell whether the network itself has a value computed in single precision."""
    is_asked = torch.float32 in (*node.args, *node.kwargs.values())
    return is_asked or (node.op == "call_method" and node.target == "float")
