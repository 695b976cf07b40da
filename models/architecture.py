"""What edgefit knows of an architecture before it builds its network. It imports torch only to build one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.weights_kind import WeightsKind

if TYPE_CHECKING:
    from torch import Tensor

    from models.network import ImageClassifier, Layers

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
OUTLINE_CLASSES = 2
TIMM = "timm/"
"""With this the name of an architecture begins whose network timm has."""


@dataclass(frozen=True)
class Architecture:
    """What there is to know of a network without building it."""

    name: str
    """What `--arch` and the run folder call it."""
    layers: "Callable[[int], Layers]"
    """The builder: it takes a number of classes, and returns the features and the classifier."""
    blocks: int
    """How many feature blocks there are."""
    unfreeze: Mapping[WeightsKind, int]
    """How many of the last blocks are trained unless the user says otherwise, by the starting weights."""
    head: str
    """The last layer, by its name in the state dict. It is new where the number of classes differs."""
    cam: str | None
    """The layer whose output class activation maps read, by its name in the network; None if unknown."""
    starts: tuple[int, ...] = ()
    """Which modules of the features begin a block, by their index; empty if each module is a block."""
    pool: int | None = 1
    """The side of the grid over which each channel of the features is averaged before the classifier.

    With None, the classifier takes the features as they are.
    """
    imagenet_weights: str | None = None
    """The ImageNet weights, as torchvision names them (`ENUM.MEMBER`); None if there are none.

    Those of timm have the name of their repository on the Hugging Face Hub, such as `timm/resnet18.a1_in1k`.
    """
    key_map: tuple[tuple[str, str], ...] = ()
    """How the names of the library's checkpoint become those of the state dict.

    Each pair is a beginning and what stands in its place, such as `("fc.", "classifier.")`. Of several that
    fit, the first counts.
    """
    timm_names: tuple[tuple[str, str], ...] = ()
    """How the names of timm's network of this architecture become those of the state dict, in such pairs."""
    mean: tuple[float, ...] = IMAGENET_MEAN
    """The mean of each channel, which the network subtracts from values in [0, 1]."""
    std: tuple[float, ...] = IMAGENET_STD
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
        """Build the network, with random weights; raises ValueError if it is not what the row says."""
        from models.network import Normalisation, classifier_of

        network = classifier_of(
            Normalisation(self.mean, self.std), self.layers(classes), self.starts, self.pool
        )
        if network.blocks != self.blocks:
            raise ValueError(
                f"{self.name}: its builder made {network.blocks} blocks, and its row says {self.blocks}"
            )
        return network

    def shapes(self) -> "Mapping[str, Tensor]":
        """Return the names and shapes of the state dict for two classes, as tensors that may lack values."""
        return self.outline().state_dict()

    def outline(self) -> "ImageClassifier":
        """Build the network for two classes, if possible without values: it then answers for shapes alone."""
        import torch

        device = "cpu" if is_of_timm(self.name) else "meta"  # not every network of timm can be without values
        with torch.random.fork_rng(devices=[]), torch.device(device):
            return self.build(OUTLINE_CLASSES).eval()

    def key_of(self, name: str) -> str:
        """Return what a checkpoint's key is called in the network's own state dict."""
        for beginning, own in (*self.key_map, *self.timm_names):
            if name.startswith(beginning):
                return own + name.removeprefix(beginning)
        return name

    def is_of_timm(self, name: str) -> bool:
        """Return whether a checkpoint's key is timm's, where the network is torchvision's."""
        return name.startswith(tuple(beginning for beginning, _ in self.timm_names))

    @property
    def in_words(self) -> str:
        """Whose network it is: `torchvision's resnet18`."""
        library = "timm" if is_of_timm(self.name) else "torchvision"
        return f"{library}'s {self.name.removeprefix(TIMM)}"


def is_of_timm(name: str) -> bool:
    """Return whether `--arch` names a network of timm."""
    return name.startswith(TIMM)


def by_share(blocks: int) -> dict[WeightsKind, int]:
    """Return how many blocks are trained by default: the same share of them as of MobileNetV2's 19.

    For MobileNetV2 this was tuned on validation images; for the others it was not.
    """
    return {kind: max(1, round(blocks * count / 19)) for kind, count in TUNED.items()}


# Of MobileNetV2's 19 blocks. ImageNet's early features serve X-rays as they are; random ones serve nothing.
# Chosen on validation images alone.
TUNED = {
    WeightsKind.IMAGENET: 12,
    WeightsKind.FILE: 12,
    WeightsKind.BUNDLED: 12,
    WeightsKind.NONE: 19,
}
