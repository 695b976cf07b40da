"""How many samples a network can run at once, so that what it computes of them fits in memory.

It knows torch.fx graphs. A small network runs as many as its caller wants; a heavy one, or one with large
images, fewer.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, fx
from torch.utils import _pytree as pytree

from export.quantisation.simulation import Stepwise

_MOST_BYTES_ALIVE = 1 << 30
# The analysis of sensitivity runs the network again for each of its tensors, so this bounds its time as well.
_MOST_BYTES_STORED = 3 << 29
_MOST_BYTES_TRAINED = 3 << 30


@dataclass(frozen=True)
class Footprint:
    """The bytes of what a network computes of the fewest samples that it takes."""

    alive: int
    """The most that is needed at one time, where each value is dropped after its last use."""
    whole: int
    """All values together."""
    samples: int = 1
    """The fewest samples that it takes: those of its file's fixed batch. It runs multiples of them."""

    def at_once(self, most: int) -> int:
        """Return how many samples can be run step by step, at most `most` and at least the fewest."""
        return self._within(most, _MOST_BYTES_ALIVE, self.alive)

    def stored_at_once(self, most: int) -> int:
        """Return how many samples can be run with all of their values stored."""
        return self._within(most, _MOST_BYTES_STORED, self.whole)

    def trained_at_once(self, most: int) -> int:
        """Return how many samples can be trained on: each value is stored as it is, and rounded."""
        return self._within(most, _MOST_BYTES_TRAINED, 2 * self.whole)

    def _within(self, most: int, budget: int, each: int) -> int:
        return self.samples * max(1, min(most // self.samples, budget // max(1, each)))


@torch.inference_mode()
def footprint_of(network: fx.GraphModule, sample: Tensor) -> Footprint:
    """Return the bytes of what a network computes of `sample`, float32 [n, 3, h, w], its fewest samples."""
    alive = whole = 0
    walk = Stepwise(network)
    for _, value in walk.walk(sample):
        whole += _bytes_of(value)
        alive = max(alive, sum(map(_bytes_of, walk.env.values())))
    return Footprint(alive, whole, len(sample))


def _bytes_of(value: object) -> int:
    """Return the bytes of a value, which may be a list of tensors."""
    return sum(leaf.nbytes for leaf in pytree.tree_leaves(value) if isinstance(leaf, Tensor))
