"""The part of a network that the judged output needs: int8 is simulated on that alone. It knows graphs."""

import copy

from torch import fx


def judged_part(network: fx.GraphModule, index: int) -> fx.GraphModule:
    """Return a network whose only output has the number `index`; one with one output as it is.

    Modules that only other outputs need are still there, so that both have the same weights by name.
    """
    (values,) = network.graph.output_node().args
    if not isinstance(values, tuple | list):
        return network
    part = copy.deepcopy(network)
    output = part.graph.output_node()
    (values,) = output.args
    assert isinstance(values, tuple | list)
    output.args = (values[index],)
    part.graph.eliminate_dead_code()
    part.recompile()
    return part
