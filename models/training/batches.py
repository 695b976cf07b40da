"""Makes the batches of an epoch, in random order. It knows images and labels, and no network."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor

from models.dataset import Split
from models.pixels import to_input, to_planes
from models.training.augmentation import Augmentation

Batch = tuple[Tensor, Tensor]


class Batches(Protocol):
    """The inputs of the trained part, from any source."""

    def __len__(self) -> int:
        """Return how many batches an epoch has."""

    def epoch(self, generator: Generator) -> Iterator[Batch]:
        """Yield the batches of one pass over all images: inputs float32, labels int64 [n]."""


def shuffled(count: int, batch_size: int, generator: Generator) -> tuple[Tensor, ...]:
    """Return the indices of each batch. A last batch of one image is left out: batch norms need two."""
    batches: tuple[Tensor, ...] = torch.split(torch.randperm(count, generator=generator), batch_size)
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


def count_batches(count: int, batch_size: int) -> int:
    """Return how many batches `shuffled` gives."""
    return max(1, -(-count // batch_size) - (count % batch_size == 1))


@dataclass(frozen=True)
class LiveImages:
    """Batches without a cache: every epoch augments every image and runs it through the whole network."""

    split: Split
    augmentation: Augmentation
    batch_size: int
    prepare: torch.nn.Module
    """The part of the network that is not trained."""

    def __len__(self) -> int:
        return count_batches(len(self.split), self.batch_size)

    def epoch(self, generator: Generator) -> Iterator[Batch]:
        """Yield augmented images after `prepare`."""
        labels = torch.from_numpy(self.split.labels)
        for chosen in shuffled(len(self.split), self.batch_size, generator):
            planes = self.augmentation.apply(to_planes(self.split.images[chosen.numpy()]), generator)
            with torch.no_grad():
                inputs = self.prepare(to_input(planes))
            yield inputs, labels[chosen]
