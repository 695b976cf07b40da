"""Which sums of a network are computed in int8: one rule for the simulation and for every format's graph.

It knows how the steps of a graph follow each other, and neither torch nor a format.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What a step does, as far as the rule asks."""

    CONVOLUTION = auto()
    """A convolution with constant weights."""
    MATRIX = auto()
    """A linear layer: a product with constant weights."""
    SUM = auto()
    """The sum of two tensors, of which one may be constant."""
    INPUT = auto()
    """An input of the network."""
    CONSTANT = auto()
    """A constant."""
    OTHER = auto()
    """Anything else."""


@dataclass(frozen=True)
class Step:
    """One step of a graph."""

    name: str
    """Its name, of which the graph has only one."""
    kind: Kind
    """What it does."""
    inputs: tuple[str, ...]
    """The names of the steps whose values it reads."""


def sums_in_float(steps: Iterable[Step]) -> frozenset[str]:
    """Return the names of the sums that stay in fp32; `steps` stand in the order in which they run.

    A sum between convolutions runs in int8, since what it adds and what reads it does. In a transformer, sums
    add little to large values, one after the other, and a normalisation reads them in fp32: rounding them
    cost a small one 27 dB. So a sum stays in fp32 if an operand is constant, an input, or comes from a linear
    layer.
    """
    # Whether a value comes from a convolution, if only scaled by what linear layers give, as
    # squeeze-and-excitation does. Constants come from nothing.
    from_convolutions: dict[str, bool] = {}
    in_float = set()
    for step in steps:
        origins = [from_convolutions[name] for name in step.inputs if name in from_convolutions]
        match step.kind:
            case Kind.CONVOLUTION:
                from_convolutions[step.name] = True
            case Kind.MATRIX | Kind.INPUT:
                from_convolutions[step.name] = False
            case Kind.SUM:
                from_convolutions[step.name] = len(origins) == len(step.inputs) and all(origins)
                if not from_convolutions[step.name]:
                    in_float.add(step.name)
            case Kind.OTHER if origins:
                from_convolutions[step.name] = any(origins)
    return frozenset(in_float)
