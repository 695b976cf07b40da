"""What the fp32 network answers, in the framework it was trained in. It knows torch, and no artifact."""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.dataset import Images
from models.pixels import to_input, to_planes

_BATCH = 32


def reference_logits(network: nn.Module, images: Images) -> npt.NDArray[np.float32]:
    """Return float32 [n, classes] for uint8 images; the network is in eval mode and float32."""
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.inference_mode():
        batches = range(0, len(images), _BATCH)
        answers = [network(to_input(to_planes(images[first : first + _BATCH]))).numpy() for first in batches]
    logits: npt.NDArray[np.float32] = np.concatenate(answers)
    return logits
