"""What a network consists of, and which part of it is trained. It knows no architecture and no data."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Normalisation(nn.Module):
    """Values in [0, 1] to the mean and standard deviation that the weights were trained with."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(1, -1, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """float32 [n, 3, h, w] in [0, 1] to the same shape, normalised."""
        return (images - self.mean) / self.std


class Head(nn.Module):
    """The feature blocks from one on, pooling and classifier: what is trained when those before are not."""

    def __init__(self, blocks: nn.Sequential, classifier: nn.Module) -> None:
        super().__init__()
        self.blocks = blocks
        self.classifier = classifier

    def forward(self, features: Tensor) -> Tensor:
        """Output of the block before, float32 [n, c, h, w], to logits [n, classes]."""
        return classify(self.blocks(features), self.classifier)


class ImageClassifier(nn.Module):
    """float32 [n, 3, h, w] in [0, 1] to logits [n, classes].

    Its state dict has the names `features.*`, `classifier.*`, `normalise.mean` and `normalise.std`.
    """

    def __init__(self, normalise: Normalisation, features: nn.Sequential, classifier: nn.Module) -> None:
        super().__init__()
        self.normalise = normalise
        self.features = features
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Logits, before any softmax."""
        return classify(self.features(self.normalise(images)), self.classifier)


def classify(features: Tensor, classifier: nn.Module) -> Tensor:
    """Average each channel and classify."""
    pooled = torch.flatten(F.adaptive_avg_pool2d(features, (1, 1)), 1)
    logits: Tensor = classifier(pooled)
    return logits


def classifier_of(
    name: str, normalise: Normalisation, features: nn.Sequential, classifier: nn.Module, blocks: int
) -> ImageClassifier:
    """Put an architecture's parts together; raises ValueError if they are not what its row says."""
    if len(features) != blocks:
        raise ValueError(f"{name}: its builder made {len(features)} blocks, and its row says {blocks}")
    return ImageClassifier(normalise, features, classifier)


@dataclass(frozen=True)
class Parts:
    """One network in two, sharing its modules: `frozen` gives the features `trained` takes."""

    frozen: nn.Sequential
    trained: Head
    frozen_blocks: int


def split_network(network: ImageClassifier, unfreeze: int) -> Parts:
    """Freeze all but the last `unfreeze` feature blocks; the classifier is always trained.

    0 trains the classifier alone, the number of blocks trains everything. What is frozen is put into eval
    mode, so that its batch norms keep the starting weights' statistics; train `trained`, never the network.
    """
    if not 0 <= unfreeze <= len(network.features):
        raise ValueError(f"unfreeze is {unfreeze}; it must be from 0 to {len(network.features)}")
    first = len(network.features) - unfreeze
    blocks = list(network.features)
    frozen = nn.Sequential(network.normalise, *blocks[:first])
    frozen.eval().requires_grad_(False)
    trained = Head(nn.Sequential(*blocks[first:]), network.classifier)
    trained.requires_grad_(True)
    return Parts(frozen, trained, first)
