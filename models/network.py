"""The networks that can be fine-tuned, and which part of one is trained. It knows no data and no training."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.errors import InputError
from models.torchvision_import import import_torchvision_models

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalisation(nn.Module):
    """Values in [0, 1] to the mean and spread the weights were trained with."""

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

    Its state dict has torchvision's names (`features.*`, `classifier.*`), `normalise.mean`, `normalise.std`.
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


@dataclass(frozen=True)
class Architecture:
    """What fine-tuning must know of a network: how to build it, its last layer, how many feature blocks."""

    name: str
    build: Callable[[int], ImageClassifier]
    imagenet_weights: str
    head: str
    blocks: int
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD


def _build_mobilenet_v2(classes: int) -> ImageClassifier:
    network = import_torchvision_models().mobilenet_v2(weights=None, num_classes=classes)
    normalise = Normalisation(IMAGENET_MEAN, IMAGENET_STD)
    return ImageClassifier(normalise, network.features, network.classifier)


ARCHITECTURES = {
    "mobilenet_v2": Architecture(
        name="mobilenet_v2",
        build=_build_mobilenet_v2,
        # V1, not torchvision's default V2: V2 was trained with label smoothing, which buys ImageNet accuracy
        # with features that transfer worse (Kornblith et al. 2021, arXiv 2010.16402).
        imagenet_weights="MobileNet_V2_Weights.IMAGENET1K_V1",
        head="classifier.1",
        blocks=19,
    ),
}


def find_architecture(name: str) -> Architecture:
    """The architecture called `name`, or an InputError that lists what there is."""
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    close = difflib.get_close_matches(name, ARCHITECTURES, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise InputError(f"--arch {name}: unknown architecture; {hint}there is: {', '.join(ARCHITECTURES)}")


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
    first = len(network.features) - unfreeze
    blocks = list(network.features)
    frozen = nn.Sequential(network.normalise, *blocks[:first])
    frozen.eval().requires_grad_(False)
    trained = Head(nn.Sequential(*blocks[first:]), network.classifier)
    trained.requires_grad_(True)
    return Parts(frozen, trained, first)
