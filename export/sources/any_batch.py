"""Makes a network of layers fit any number of samples at once, where its program states one number.

It knows torch.fx, and nothing of how layers are made.
"""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, fx
from torch.fx.node import Argument
from torch.utils import _pytree as pytree

_LARGEST_ERROR = 1e-4
ONE_SAMPLE = "one sample"
"""The key of a network's `meta` that says that it takes no more samples at once than the program."""


def for_any_batch(
    network: fx.GraphModule, inputs: Sequence[Tensor], expected: Sequence[Tensor]
) -> fx.GraphModule:
    """Return the network with shapes that fit any number of samples; the network itself if that fails.

    A program states the size of every axis. The first one has the samples, and is left open.
    """
    general = copy.deepcopy(network)
    for node in list(general.graph.nodes):
        if node.target is torch.reshape:
            node.args = (node.args[0], (-1, *node.args[1][1:]))
        elif node.target is torch.cat:
            _repeat_constants(general.graph, node)
    general.recompile()
    try:
        twice = flat(fx.Interpreter(general).run(*(torch.cat([value, value.flip(-1)]) for value in inputs)))
        once = flat(network(*(value.flip(-1) for value in inputs)))
    except RuntimeError:
        return _for_one_sample(network)
    results = [triple for triple in zip(expected, once, twice, strict=True) if triple[0].dim()]
    is_general = all(are_equal([both], [torch.cat([one, other])]) for one, other, both in results)
    return general if is_general else _for_one_sample(network)


def _for_one_sample(network: fx.GraphModule) -> fx.GraphModule:
    network.meta[ONE_SAMPLE] = True
    return network


def _repeat_constants(graph: fx.Graph, node: fx.Node) -> None:
    """Repeat constants that are joined to each sample, such as a class token."""
    values, *others = node.args
    axis = others[0] if others else 0
    assert isinstance(values, Sequence)
    assert isinstance(axis, int)
    own = [value for value in values if isinstance(value, fx.Node) and value.op != "get_attr"]
    if own:
        node.args = ([_repeated(graph, node, value, own[0], axis) for value in values], *others)


def _repeated(graph: fx.Graph, user: fx.Node, value: Argument, other: fx.Node, axis: int) -> Argument:
    """Return a constant as often as `other` has samples, in a way that torch.fx can trace again."""
    if not isinstance(value, fx.Node) or value.op != "get_attr":
        return value
    size, most = value.meta["shape"][axis], other.meta["shape"][axis]
    if size > most:
        return value
    with graph.inserting_before(user):
        part = graph.call_function(torch.narrow, (other, axis, 0, size))
        return graph.call_method("expand_as", (value, part))


def flat(outputs: object) -> list[Tensor]:
    """Return the tensors among a network's outputs, however they are nested."""
    leaves = pytree.tree_leaves(outputs)
    return [leaf for leaf in leaves if isinstance(leaf, Tensor)]


def are_equal(values: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    """Return whether two networks gave the same outputs, up to rounding."""
    return all(
        value.shape == other.shape
        and bool((value - other).abs().max() <= _LARGEST_ERROR * max(1.0, float(other.abs().max())))
        for value, other in zip(values, others, strict=True)
    )
