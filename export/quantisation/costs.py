"""What int8 costs a network, layer by layer and tensor by tensor, and what a set of layers left in float
would save. Pure figures, told from one process to another; `sensitivity.py` finds them.
"""

import math

from pydantic import Field

from bench.record import Record


class Layer(Record):
    """A convolution or linear layer: its share of the network's multiply-accumulates and of its weights, and
    the noise that rounding these adds to the logits (error power ÷ signal power).
    """

    name: str
    is_convolution: bool
    share_of_macs: float = Field(ge=0, le=1)
    share_of_weights: float = Field(ge=0, le=1)
    noise: float = Field(ge=0)


class Activation(Record):
    """A tensor between layers: the noise that rounding it adds, and the layers it goes into or comes out of.

    It stays in float only where all of those do; `summed` ones meet others in a sum, and never do.
    """

    noise: float = Field(ge=0)
    layers: tuple[str, ...]
    summed: bool


class Costs(Record):
    """A network's layers in the order they run, and its activations."""

    layers: tuple[Layer, ...]
    activations: tuple[Activation, ...]

    def noise(self, excluded_modules: frozenset[str]) -> float:
        """Return the predicted noise of the logits with these layers in float.

        Errors of rounding are nearly independent, so their powers add up.
        """
        weights = sum(one.noise for one in self.layers if one.name not in excluded_modules)
        return weights + sum(
            one.noise for one in self.activations if one.summed or not excluded_modules.issuperset(one.layers)
        )

    def sqnr_db(self, excluded_modules: frozenset[str]) -> float:
        """Return the predicted signal to quantisation noise ratio of the logits in decibels."""
        return -10 * math.log10(max(self.noise(excluded_modules), 1e-12))

    def share_of_macs(self, names: frozenset[str]) -> float:
        """Return what share of the multiply-accumulates these layers have."""
        return sum(one.share_of_macs for one in self.layers if one.name in names)

    def share_of_weights(self, names: frozenset[str]) -> float:
        """Return what share of the weights these layers have."""
        return sum(one.share_of_weights for one in self.layers if one.name in names)

    def in_order(self, names: frozenset[str]) -> tuple[str, ...]:
        """Return these layers' names in the order they run."""
        return tuple(one.name for one in self.layers if one.name in names)
