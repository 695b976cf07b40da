"""The networks that can be fine-tuned, one row each. It imports torch only when a network is built."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.errors import InputError
from models.timm_names import mobilenet_v2_names
from models.weights_kind import WeightsKind

if TYPE_CHECKING:
    from torch import nn

    from models.network import ImageClassifier

    Layers = tuple[nn.Sequential, nn.Module]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Architecture:
    """What there is to know of a network without building it."""

    name: str
    """What `--arch` and the run folder call it."""
    layers: "Callable[[int], Layers]"
    """The builder: it takes a number of classes, and returns the feature blocks and the classifier.

    The features are averaged over each channel before the classifier.
    """
    blocks: int
    """How many feature blocks there are."""
    unfreeze: Mapping[WeightsKind, int]
    """How many of the last blocks are trained unless the user says otherwise, by the starting weights."""
    head: str
    """The last layer, by its name in the state dict. It is new where the number of classes differs."""
    cam: str
    """The layer whose output class activation maps read, by its name in the network."""
    imagenet_weights: str | None = None
    """torchvision's name of its ImageNet weights, `ENUM.MEMBER`; None if there are none."""
    key_map: tuple[tuple[str, str], ...] = ()
    """How the names of a torchvision checkpoint become those of the state dict.

    Each pair is a beginning and what stands in its place, such as `("fc.", "classifier.")`. Of several that
    fit, the first counts.
    """
    timm_names: tuple[tuple[str, str], ...] = ()
    """How the names of timm's network of this architecture become those of the state dict, in such pairs."""
    mean: tuple[float, float, float] = IMAGENET_MEAN
    """The mean of each channel, which the network subtracts from values in [0, 1]."""
    std: tuple[float, float, float] = IMAGENET_STD
    """The standard deviation of each channel, by which the network then divides."""

    def __post_init__(self) -> None:
        for kind in WeightsKind:
            if kind not in self.unfreeze:
                raise ValueError(f"{self.name}: unfreeze has no default for the weights '{kind.value}'")
            if not 0 <= self.unfreeze[kind] <= self.blocks:
                raise ValueError(
                    f"{self.name}: unfreeze is {self.unfreeze[kind]} for the weights '{kind.value}'; it must "
                    f"be from 0 to {self.blocks}, the number of blocks"
                )

    def build(self, classes: int) -> "ImageClassifier":
        """Build the network, with random weights."""
        from models.network import Normalisation, classifier_of

        features, classifier = self.layers(classes)
        return classifier_of(self.name, Normalisation(self.mean, self.std), features, classifier, self.blocks)

    def key_of(self, name: str) -> str:
        """Return what a checkpoint's key is called in the network's own state dict."""
        for beginning, own in (*self.key_map, *self.timm_names):
            if name.startswith(beginning):
                return own + name.removeprefix(beginning)
        return name

    def is_of_timm(self, name: str) -> bool:
        """Return whether a checkpoint's key is timm's."""
        return name.startswith(tuple(beginning for beginning, _ in self.timm_names))


def _mobilenet_v2(classes: int) -> "Layers":
    from models.torchvision_import import import_torchvision_models

    network = import_torchvision_models().mobilenet_v2(weights=None, num_classes=classes)
    return network.features, network.classifier


ARCHITECTURES = {
    "mobilenet_v2": Architecture(
        name="mobilenet_v2",
        layers=_mobilenet_v2,
        blocks=19,
        # ImageNet's early features serve X-rays as they are; random ones serve nothing. Chosen on validation
        # images alone.
        unfreeze={
            WeightsKind.IMAGENET: 12,
            WeightsKind.FILE: 12,
            WeightsKind.BUNDLED: 15,
            WeightsKind.NONE: 19,
        },
        head="classifier.1",
        cam="features.18",
        # V1, not torchvision's default V2: V2 was trained with label smoothing, which buys ImageNet accuracy
        # with features that transfer worse (Kornblith et al. 2021, arXiv 2010.16402).
        imagenet_weights="MobileNet_V2_Weights.IMAGENET1K_V1",
        timm_names=mobilenet_v2_names(),
    ),
}


def find_architecture(name: str) -> Architecture:
    """Return the architecture called `name`; raises InputError with a list of what there is."""
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]
    close = difflib.get_close_matches(name, ARCHITECTURES, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise InputError(
        f"--arch {name} is not a known architecture; {hint}the architectures are: {', '.join(ARCHITECTURES)}"
    )
