"""Takes networks of torchvision apart into features and classifier. It imports torchvision only then."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

    Layers = tuple[nn.Sequential, nn.Module]

SHUFFLENET_STAGES = (4, 8, 4)
RESNET_18_STAGES = (2, 2, 2, 2)
RESNET_50_STAGES = (3, 4, 6, 3)
DENSENET_121_BLOCKS = (6, 12, 24, 16)

Names = tuple[tuple[str, str], ...]


def _body(name: str, classes: int) -> "nn.Module":
    from models.torchvision_import import import_torchvision_models

    network: nn.Module = import_torchvision_models().get_model(name, weights=None, num_classes=classes)
    return network


def features_of(name: str, classes: int) -> "Layers":
    """Return the parts of a network that torchvision itself divides: its checkpoints need no other names."""
    from torch import nn

    body = _body(name, classes)
    features, classifier = body.get_submodule("features"), body.get_submodule("classifier")
    assert isinstance(features, nn.Sequential)
    return features, classifier


def squeezenet(name: str, classes: int) -> "Layers":
    """Return the parts of a SqueezeNet. Its classifier is a convolution, and pools after it."""
    from torch import nn

    features, classifier = features_of(name, classes)
    return features, nn.Sequential(*classifier.children(), nn.Flatten())


def densenet(name: str, classes: int) -> "Layers":
    """Return the parts of a DenseNet. torchvision has its last activation outside of the features."""
    from torch import nn

    features, classifier = features_of(name, classes)
    features.add_module("relu5", nn.ReLU(inplace=True))
    return features, classifier


def resnet(name: str, classes: int) -> "Layers":
    """Return the parts of a ResNet."""
    return _joined(
        name, classes, ("conv1", "bn1", "relu", "maxpool"), ("layer1", "layer2", "layer3", "layer4")
    )


def shufflenet(name: str, classes: int) -> "Layers":
    """Return the parts of a ShuffleNetV2."""
    return _joined(name, classes, ("conv1", "maxpool"), ("stage2", "stage3", "stage4"), ("conv5",))


def _joined(
    name: str, classes: int, stem: tuple[str, ...], stages: tuple[str, ...], rest: tuple[str, ...] = ()
) -> "Layers":
    """Return the stem as the first block, each block of the stages, and the modules of the rest."""
    from torch import nn

    body = _body(name, classes)
    first = nn.Sequential(*(body.get_submodule(module) for module in stem))
    blocks = (block for stage in stages for block in body.get_submodule(stage).children())
    last = (body.get_submodule(module) for module in rest)
    return nn.Sequential(first, *blocks, *last), body.get_submodule("fc")


def resnet_names(stages: tuple[int, ...]) -> Names:
    """Return how torchvision's names of a ResNet become edgefit's."""
    stem = (("conv1.", "features.0.0."), ("bn1.", "features.0.1."))
    return (*stem, *_numbered("layer", 1, stages), ("fc.", "classifier."))


def shufflenet_names(stages: tuple[int, ...]) -> Names:
    """Return how torchvision's names of a ShuffleNetV2 become edgefit's."""
    last = ("conv5.", f"features.{1 + sum(stages)}.")
    return (("conv1.", "features.0.0."), *_numbered("stage", 2, stages), last, ("fc.", "classifier."))


def _numbered(stage: str, first: int, counts: tuple[int, ...]) -> Names:
    """Return the names of all blocks of the stages, which follow the stem one after another."""
    blocks = [(number, block) for number, count in enumerate(counts, first) for block in range(count)]
    return tuple(
        (f"{stage}{number}.{block}.", f"features.{index}.") for index, (number, block) in enumerate(blocks, 1)
    )


def old_densenet_names(blocks: tuple[int, ...]) -> Names:
    """Return how the names in torchvision's own file of a DenseNet become those of its network.

    The file is older than the network: it has a dot in `norm.1` and `conv.2`.
    """
    layers = [
        f"features.denseblock{number}.denselayer{layer}."
        for number, count in enumerate(blocks, 1)
        for layer in range(1, count + 1)
    ]
    parts = [(kind, number) for kind in ("norm", "conv") for number in (1, 2)]
    return tuple(
        (f"{layer}{kind}.{number}.", f"{layer}{kind}{number}.") for layer in layers for kind, number in parts
    )
