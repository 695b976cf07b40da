"""Prepares a program that torch exported for rewriting: no operator overwrites its input, and what depends
on weights alone is computed. It makes no layers.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from export.sources.source import NotLayeredError

_ops = torch.ops.aten

_CHECKS = {
    *(_ops._assert_tensor_metadata.default, _ops._assert_scalar.default, _ops._assert_async.msg),
    *(_ops.sym_constrain_range_for_size.default, _ops.sym_constrain_range.default),
}


def functional(program: ExportedProgram) -> fx.GraphModule:
    """Return the program without operators that overwrite their inputs, with flat inputs and outputs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates its own internals while exporting
        module = program.run_decompositions({}).module(check_guards=False)
    assert isinstance(module, fx.GraphModule)
    graph = module.graph
    graph.set_codegen(fx.graph.CodeGen())
    for node in list(graph.nodes):
        if node.op == "call_module" or node.target in _CHECKS:
            if node.op == "call_module" and not node.name.startswith("_guards"):
                raise NotLayeredError(f"its graph calls another graph: {node.target}")
            graph.erase_node(node)
    output = graph.output_node()
    values = [value for value in pytree.tree_leaves(output.args[0]) if isinstance(value, fx.Node)]
    output.args = (values[0] if len(values) == 1 else tuple(values),)
    remove_unused(graph)
    module.recompile()
    return module.requires_grad_(False)


def fold_constants(module: fx.GraphModule) -> None:
    """Compute what depends on weights alone, such as weights that are standardised in every run."""
    constants: dict[fx.Node, Any] = {}
    for node in list(module.graph.nodes):
        if node.op == "get_attr":
            constants[node] = attribute(module, str(node.target))
        elif node.op == "call_function" and all(other in constants for other in node.all_input_nodes):
            constants[node] = _run(node, constants)
    for node, value in constants.items():
        if node.op == "get_attr" or not isinstance(value, Tensor):
            continue
        if any(user not in constants for user in node.users):
            name = f"constant_{node.name}"
            module.register_buffer(name, value.clone())
            with module.graph.inserting_before(node):
                constant = module.graph.get_attr(name)
            constant.meta = {"val": value, "weight": _first_weight(node)}
            node.replace_all_uses_with(constant)
    remove_unused(module.graph)


def _run(node: fx.Node, values: Mapping[fx.Node, Any]) -> Any:
    """Compute a node from the values of others."""
    assert callable(node.target)
    args: Any = fx.node.map_arg(node.args, lambda other: values[other])
    kwargs: Any = fx.node.map_arg(node.kwargs, lambda other: values[other])
    return node.target(*args, **kwargs)


def remove_unused(graph: fx.Graph) -> None:
    """Delete the nodes whose values nobody takes."""
    for node in reversed(list(graph.nodes)):
        if not node.users and node.op not in ("placeholder", "output"):
            graph.erase_node(node)


def _first_weight(node: fx.Node) -> str:
    """Return the name of the first weight that a constant is computed from."""
    while node.op != "get_attr" and node.all_input_nodes:
        node = node.all_input_nodes[0]
    return str(node.target)


def attribute(module: nn.Module, name: str) -> object:
    """Return what a module has at a name with dots."""
    value: object = module
    for part in name.split("."):
        value = getattr(value, part)
    return value
