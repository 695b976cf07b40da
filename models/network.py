"""What a network consists of, and which part of it is trained. It knows no architecture and no data."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WHOLE = "whole."
"""With this the names of a network begin whose blocks are no sequence."""


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


@dataclass(frozen=True)
class Blocks:
    """A whole network of any form, whose blocks are known by the names of their parameters alone."""

    network: nn.Module
    """It takes normalised images and returns logits."""
    parameters: tuple[tuple[str, ...], ...]
    """The names of each block's parameters, from the input on; those of the classifier are left out."""


Layers = tuple[nn.Sequential, nn.Module] | Blocks
"""What a builder returns: the features and the classifier, or a whole network."""


@dataclass(frozen=True)
class Parts:
    """One network in two, sharing its modules: `frozen` gives what `trained` takes."""

    frozen: nn.Module
    """The part that never changes; its output can be cached."""
    trained: nn.Module
    """The rest, which gives logits. Blocks in it that stay frozen remain in eval mode."""
    frozen_blocks: int
    """How many blocks stay frozen."""
    is_cacheable: bool
    """Whether the frozen blocks are in `frozen`, so that they need to run only once for each image."""


class ImageClassifier(nn.Module):
    """float32 [n, 3, h, w] in [0, 1] to logits [n, classes].

    Its state dict has the names `normalise.mean` and `normalise.std` beside those of its layers.
    """

    blocks: int
    """How many feature blocks there are."""

    def __init__(self, normalise: Normalisation) -> None:
        super().__init__()
        self.normalise = normalise

    def split(self, first: int) -> Parts:
        """Freeze the blocks before the block `first`, and return both parts."""
        raise NotImplementedError


class SequentialClassifier(ImageClassifier):
    """Features that run one after another, pooling, and a classifier: `features.*`, `classifier.*`."""

    def __init__(
        self,
        normalise: Normalisation,
        features: nn.Sequential,
        classifier: nn.Module,
        starts: tuple[int, ...],
        pool: int | None,
    ) -> None:
        super().__init__(normalise)
        self.features = features
        self.classifier = classifier
        self.pool = pool
        self._starts = starts or tuple(range(len(features)))
        self.blocks = len(self._starts)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, before any softmax."""
        return classify(self.features(self.normalise(images)), self.classifier, self.pool)

    def split(self, first: int) -> Parts:
        """Put the blocks before the block `first` into a sequence of their own: its output can be cached."""
        modules = list(self.features)
        start = self._starts[first] if first < self.blocks else len(modules)
        frozen = nn.Sequential(self.normalise, *modules[:start])
        frozen.eval().requires_grad_(False)
        trained = Head(nn.Sequential(*modules[start:]), self.classifier, self.pool)
        trained.requires_grad_(True)
        return Parts(frozen, trained, first, is_cacheable=True)


class Head(nn.Module):
    """The feature blocks from one on, pooling and classifier: what is trained when those before are not."""

    def __init__(self, blocks: nn.Sequential, classifier: nn.Module, pool: int | None) -> None:
        super().__init__()
        self.blocks = blocks
        self.classifier = classifier
        self.pool = pool

    def forward(self, features: Tensor) -> Tensor:
        """Output of the block before, float32 [n, c, h, w], to logits [n, classes]."""
        return classify(self.blocks(features), self.classifier, self.pool)


def classify(features: Tensor, classifier: nn.Module, pool: int | None = 1) -> Tensor:
    """Average each channel over a grid of `pool` by `pool` cells, and classify; None: classify as it is."""
    if pool is not None:
        features = torch.flatten(F.adaptive_avg_pool2d(features, (pool, pool)), 1)
    logits: Tensor = classifier(features)
    return logits


class WholeClassifier(ImageClassifier):
    """A network of any form: `whole.*`."""

    def __init__(self, normalise: Normalisation, blocks: Blocks) -> None:
        super().__init__(normalise)
        self.whole = blocks.network
        self._parameters_of_blocks = blocks.parameters
        self.blocks = len(blocks.parameters)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, before any softmax."""
        logits: Tensor = self.whole(self.normalise(images))
        return logits

    def split(self, first: int) -> Parts:
        """Freeze the parameters of the blocks before `first`; these blocks run in every epoch."""
        frozen = {name for block in self._parameters_of_blocks[:first] for name in block}
        for name, parameter in self.whole.named_parameters():
            parameter.requires_grad_(name not in frozen)
        return Parts(self.normalise.eval(), PartlyFrozen(self.whole), first, is_cacheable=False)


class PartlyFrozen(nn.Module):
    """A network of which some parameters are trained. Modules without any such stay in eval mode."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """Normalised images to logits."""
        logits: Tensor = self.network(images)
        return logits

    def train(self, mode: bool = True) -> "PartlyFrozen":
        """Set the mode of what is trained: frozen batch norms keep their statistics, nothing drops out."""
        super().train(mode)
        for module in self.network.modules():
            parameters = list(module.parameters())
            if parameters and not any(parameter.requires_grad for parameter in parameters):
                module.eval()
        return self


def classifier_of(
    normalise: Normalisation, layers: Layers, starts: tuple[int, ...], pool: int | None
) -> ImageClassifier:
    """Put what an architecture's builder made together."""
    if isinstance(layers, Blocks):
        return WholeClassifier(normalise, layers)
    features, classifier = layers
    return SequentialClassifier(normalise, features, classifier, starts, pool)


def split_network(network: ImageClassifier, unfreeze: int) -> Parts:
    """Freeze all but the last `unfreeze` feature blocks; the classifier is always trained.

    0 trains the classifier alone, the number of blocks trains everything. What is frozen is put into eval
    mode, so that its batch norms keep the starting weights' statistics; train `trained`, never the network.
    """
    if not 0 <= unfreeze <= network.blocks:
        raise ValueError(f"unfreeze is {unfreeze}; it must be from 0 to {network.blocks}")
    return network.split(network.blocks - unfreeze)
