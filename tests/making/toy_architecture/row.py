"""A network that edgefit does not have, added by its row: two convolutions and a linear layer."""

from typing import TYPE_CHECKING

from models.architecture import Architecture
from models.weights_kind import WeightsKind

if TYPE_CHECKING:
    from torch import nn


def layers(classes: int) -> "tuple[nn.Sequential, nn.Module]":
    from torch import nn

    def block(inside: int, outside: int) -> nn.Sequential:
        convolution = nn.Conv2d(inside, outside, 3, stride=2, padding=1, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.ReLU())

    return nn.Sequential(block(3, 8), block(8, 16)), nn.Linear(16, classes)


ROW = Architecture(
    name="toy_network",
    layers=layers,
    blocks=2,
    unfreeze=dict.fromkeys(WeightsKind, 2),
    head="classifier",
    cam="features.1",
)
