"""What an epoch is made of: batches of inputs and labels in a random order. It knows images, not networks."""

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
    """Inputs for the part that is trained, from wherever they come."""

    def __len__(self) -> int:
        """Batches in an epoch."""

    def epoch(self, generator: Generator) -> Iterator[Batch]:
        """One pass over all images; inputs float32, labels int64 [n]."""


def shuffled(count: int, batch_size: int, generator: Generator) -> tuple[Tensor, ...]:
    """Indices by batch; a last batch of one image, of which a batch norm learns nothing, is left out."""
    batches: tuple[Tensor, ...] = torch.split(torch.randperm(count, generator=generator), batch_size)
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


def count_batches(count: int, batch_size: int) -> int:
    """How many `shuffled` gives."""
    return max(1, -(-count // batch_size) - (count % batch_size == 1))


@dataclass(frozen=True)
class LiveImages:
    """The plain way: every image is augmented anew in every epoch, and goes through the whole network."""

    split: Split
    augmentation: Augmentation
    batch_size: int
    prepare: torch.nn.Module

    def __len__(self) -> int:
        return count_batches(len(self.split), self.batch_size)

    def epoch(self, generator: Generator) -> Iterator[Batch]:
        """Augmented images through `prepare`, the part that is not trained."""
        labels = torch.from_numpy(self.split.labels)
        for chosen in shuffled(len(self.split), self.batch_size, generator):
            planes = self.augmentation.apply(to_planes(self.split.images[chosen.numpy()]), generator)
            with torch.no_grad():
                inputs = self.prepare(to_input(planes))
            yield inputs, labels[chosen]
