"""Tries whether a network takes images of a size, on one black image. It knows no architecture."""

import torch

from models.architecture import OUTLINE_CLASSES, Architecture
from models.errors import InputError


def refuse_image_size(architecture: Architecture, side: int) -> None:
    """Raise InputError if the network cannot classify images of `side` by `side` pixels."""
    network = architecture.outline()
    image = torch.zeros(1, 3, side, side, device=network.normalise.mean.device)
    try:
        with torch.inference_mode():
            logits = network(image)
    except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise InputError(
            f"--image-size {side}: {architecture.in_words} cannot classify images of {side} by {side} pixels "
            f"({reason}); give another --image-size"
        ) from error
    if tuple(getattr(logits, "shape", ())) != (1, OUTLINE_CLASSES):
        raise InputError(
            f"--arch {architecture.name}: gives no logits of {OUTLINE_CLASSES} classes, so it is no "
            "classifier that edgefit can fine-tune; choose another network"
        )
