"""How much int8 disturbs a network, layer by layer and tensor by tensor. It knows figures only.

`sensitivity_analysis.py` measures them. This module predicts from them what excluding modules would gain, and
loads no torch: the figures travel from one process to another.
"""

import math

from pydantic import Field

from bench.record import Record


class Layer(Record):
    """A convolution or linear layer."""

    name: str
    """The module's name."""
    is_convolution: bool
    """Whether it is a convolution; otherwise it is a linear layer."""
    share_of_macs: float = Field(ge=0, le=1)
    """Its share of the network's multiply-accumulates."""
    share_of_weights: float = Field(ge=0, le=1)
    """Its share of the network's weights."""
    noise: float = Field(ge=0)
    """The noise that rounding its weights adds to the logits: error power divided by signal power."""


class Activation(Record):
    """A tensor between layers. It stays in fp32 only if every layer beside it is excluded."""

    noise: float = Field(ge=0)
    """The noise that rounding the tensor adds to the logits: error power divided by signal power."""
    layers: tuple[str, ...]
    """The layers that it goes into or comes out of."""
    summed: bool
    """Whether it is an operand or the result of a sum, which is always computed in int8."""


class Sensitivity(Record):
    """The sensitivity of a network to int8."""

    layers: tuple[Layer, ...]
    """The network's layers, in the order in which they run."""
    activations: tuple[Activation, ...]
    """The tensors that int8 rounds."""
    unmeasured: str | None = None
    """Why no noise was measured, so that all figures of noise are 0; null if it was."""

    def noise(self, excluded_modules: frozenset[str]) -> float:
        """Return the predicted noise of the logits if these modules are kept in fp32.

        Rounding errors are nearly independent, so their powers add up.
        """
        weights = sum(layer.noise for layer in self.layers if layer.name not in excluded_modules)
        return weights + sum(
            activation.noise
            for activation in self.activations
            if activation.summed or not excluded_modules.issuperset(activation.layers)
        )

    def sqnr_db(self, excluded_modules: frozenset[str]) -> float:
        """Return the predicted signal to quantisation noise ratio of the logits in decibels."""
        return -10 * math.log10(max(self.noise(excluded_modules), 1e-12))

    def share_of_macs(self, names: frozenset[str]) -> float:
        """Return these layers' share of the multiply-accumulates."""
        return sum(layer.share_of_macs for layer in self.layers if layer.name in names)

    def share_of_weights(self, names: frozenset[str]) -> float:
        """Return these layers' share of the weights."""
        return sum(layer.share_of_weights for layer in self.layers if layer.name in names)

    def in_order(self, names: frozenset[str]) -> tuple[str, ...]:
        """Return these layers' names in the order in which they run."""
        return tuple(layer.name for layer in self.layers if layer.name in names)
