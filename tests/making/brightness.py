"""A network that tells dark images from bright ones, and such images: what an engineer brings to export."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

SIDE = 24
_DARK, _BRIGHT = 80, 176
CLASSES = ("bright", "dark")


class Brightness(torch.nn.Module):
    """Three convolutions that keep the brightness, and a head: logits of bright and dark for values 0 to 1."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.stem = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.body = torch.nn.Conv2d(8, 8, 3, padding=1)
        self.last = torch.nn.Conv2d(8, 8, 1)
        self.head = torch.nn.Linear(8, 2)
        with torch.no_grad():
            for layer in (self.stem, self.body, self.last):
                layer.weight.copy_(torch.rand_like(layer.weight) + 0.1)
                layer.weight.div_(layer.weight.sum(dim=(1, 2, 3), keepdim=True))
                layer.bias.zero_()
            self.head.weight.copy_(torch.tensor([[4.0] * 8, [-4.0] * 8]))
            self.head.bias.copy_(torch.tensor([-16.0, 16.0]))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        features = torch.relu(self.last(torch.relu(self.body(torch.relu(self.stem(image))))))
        logits: torch.Tensor = self.head(features.mean(dim=(2, 3)))
        return logits


def build() -> torch.nn.Module:
    """Return the network: a source `making.brightness:build`."""
    return Brightness()


def write_brightness(folder: Path, count: int = 24, labelled: bool = True) -> Path:
    """Write so many images of each class, in a folder for each, or all in one."""
    random = np.random.default_rng(0)
    for name, level in zip(CLASSES, (_BRIGHT, _DARK), strict=True):
        place = folder / name if labelled else folder
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = random.integers(level - 60, level + 60, (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / f"{name}{number}.png")
    return folder


def write_onnx(path: Path) -> Path:
    """Write the network as an ONNX file with an open batch."""
    torch.onnx.export(
        build().eval(),
        (torch.zeros(1, 3, SIDE, SIDE),),
        path,
        dynamo=False,
        input_names=["image"],
        output_names=["logits"],
        dynamic_axes={"image": {0: "batch"}},
        opset_version=13,
    )
    return path
