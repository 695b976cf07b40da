"""The networks that can be fine-tuned: a row each, and those of timm by their names. It reads no weights."""

import difflib
from functools import partial

from models.architecture import TIMM, TUNED, Architecture, by_share, is_of_timm
from models.errors import InputError
from models.timm_names import mobilenet_v2_names
from models.torchvision_networks import (
    DENSENET_121_BLOCKS,
    RESNET_18_STAGES,
    RESNET_50_STAGES,
    SHUFFLENET_STAGES,
    densenet,
    features_of,
    old_densenet_names,
    resnet,
    resnet_names,
    shufflenet,
    shufflenet_names,
    squeezenet,
)

# ImageNet's weights are torchvision's V1, also where it has V2: V2 was trained with label smoothing, which
# buys ImageNet accuracy with features that transfer worse (Kornblith et al. 2021, arXiv 2010.16402).
_ROWS = (
    Architecture(
        name="mobilenet_v2",
        layers=partial(features_of, "mobilenet_v2"),
        blocks=19,
        unfreeze=TUNED,
        head="classifier.1",
        cam="features.18",
        imagenet_weights="MobileNet_V2_Weights.IMAGENET1K_V1",
        timm_names=mobilenet_v2_names(),
    ),
    Architecture(
        name="mobilenet_v3_small",
        layers=partial(features_of, "mobilenet_v3_small"),
        blocks=13,
        unfreeze=by_share(13),
        head="classifier.3",
        cam="features.12",
        imagenet_weights="MobileNet_V3_Small_Weights.IMAGENET1K_V1",
    ),
    Architecture(
        name="mobilenet_v3_large",
        layers=partial(features_of, "mobilenet_v3_large"),
        blocks=17,
        unfreeze=by_share(17),
        head="classifier.3",
        cam="features.16",
        imagenet_weights="MobileNet_V3_Large_Weights.IMAGENET1K_V1",
    ),
    Architecture(
        name="efficientnet_b0",
        layers=partial(features_of, "efficientnet_b0"),
        blocks=9,
        unfreeze=by_share(9),
        head="classifier.1",
        cam="features.8",
        imagenet_weights="EfficientNet_B0_Weights.IMAGENET1K_V1",
    ),
    Architecture(
        name="shufflenet_v2_x1_0",
        layers=partial(shufflenet, "shufflenet_v2_x1_0"),
        blocks=18,
        unfreeze=by_share(18),
        head="classifier",
        cam="features.17",
        imagenet_weights="ShuffleNet_V2_X1_0_Weights.IMAGENET1K_V1",
        key_map=shufflenet_names(SHUFFLENET_STAGES),
    ),
    Architecture(
        name="squeezenet1_1",
        layers=partial(squeezenet, "squeezenet1_1"),
        blocks=9,
        unfreeze=by_share(9),
        head="classifier.1",
        cam="features.12",
        # The first convolution, and each Fire module, with the pooling after it, if there is one.
        starts=(0, 3, 4, 6, 7, 9, 10, 11, 12),
        pool=None,
        imagenet_weights="SqueezeNet1_1_Weights.IMAGENET1K_V1",
    ),
    Architecture(
        name="resnet18",
        layers=partial(resnet, "resnet18"),
        blocks=9,
        unfreeze=by_share(9),
        head="classifier",
        cam="features.8",
        imagenet_weights="ResNet18_Weights.IMAGENET1K_V1",
        key_map=resnet_names(RESNET_18_STAGES),
    ),
    Architecture(
        name="resnet50",
        layers=partial(resnet, "resnet50"),
        blocks=17,
        unfreeze=by_share(17),
        head="classifier",
        cam="features.16",
        imagenet_weights="ResNet50_Weights.IMAGENET1K_V1",
        key_map=resnet_names(RESNET_50_STAGES),
    ),
    Architecture(
        name="densenet121",
        layers=partial(densenet, "densenet121"),
        blocks=8,
        unfreeze=by_share(8),
        head="classifier",
        cam="features.relu5",
        # The stem, each dense block, and each transition between two; norm and ReLU end the last dense block.
        starts=(0, 4, 5, 6, 7, 8, 9, 10),
        imagenet_weights="DenseNet121_Weights.IMAGENET1K_V1",
        key_map=old_densenet_names(DENSENET_121_BLOCKS),
    ),
    Architecture(
        name="vgg16",
        layers=partial(features_of, "vgg16"),
        blocks=13,
        unfreeze=by_share(13),
        head="classifier.6",
        cam="features.29",
        # Each convolution, with the pooling after it, if there is one.
        starts=(0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
        pool=7,
        imagenet_weights="VGG16_Weights.IMAGENET1K_V1",
    ),
)
ARCHITECTURES = {row.name: row for row in _ROWS}


def is_known(name: str) -> bool:
    """Return whether there is a row of this name, or timm is to be asked."""
    return name in ARCHITECTURES or is_of_timm(name)


def known_architectures() -> str:
    """Return what `--arch` takes, in words."""
    return f"{', '.join(ARCHITECTURES)}, and {TIMM}NAME for a classifier of timm"


def require_known(name: str) -> None:
    """Raise InputError for a name that is neither a row's nor begins as timm's do."""
    if is_known(name):
        return
    close = difflib.get_close_matches(name.rpartition("/")[2].lower(), ARCHITECTURES, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise InputError(
        f"--arch {name} is not a known architecture; {hint}the architectures are: {known_architectures()}"
    )


def find_architecture(name: str, side: int | None = None) -> Architecture:
    """Return the architecture called `name`; raises InputError with a list of what there is.

    `side` is that of the images, for which some networks of timm are built; None: as timm has it.
    """
    require_known(name)
    if not is_of_timm(name):
        return ARCHITECTURES[name]
    from models.timm_networks import timm_architecture

    return timm_architecture(name, side)
