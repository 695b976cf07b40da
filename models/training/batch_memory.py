"""How many images of a batch are trained on at once, so that what the gradients need fits in memory.

It knows torch's record of a forward pass, and no architecture.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

MOST_BYTES = 5 << 30
_FEWEST = 2


def bytes_per_image(network: nn.Module, inputs: Tensor) -> int:
    """Return what a training step stores for each image until it has the gradients.

    `inputs`: float32 [n, c, h, w] of at least two images, as batch norms need them. The network stays as it
    is, and so do the random numbers.
    """
    stored: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        stored[storage.data_ptr()] = storage.nbytes()
        return tensor

    trial = copy.deepcopy(network).train()
    own = {parameter.untyped_storage().data_ptr() for parameter in trial.parameters()}
    with (
        torch.random.fork_rng(devices=[]),
        torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
    ):
        outputs = trial(inputs)  # keeps what was stored, so that no address is used twice
    total = sum(size for address, size in stored.items() if address not in own)
    del outputs
    return total // len(inputs)


def at_once(each: int, batch_size: int) -> int:
    """Return how many images of a batch are run at once if each needs so many bytes: two at least."""
    return max(_FEWEST, min(batch_size, MOST_BYTES // max(1, each)))


def parts_of(inputs: Tensor, labels: Tensor, most: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the parts of a batch, of nearly the same size: at most `most` images, but two at least."""
    count = max(1, min(-(-len(labels) // most), len(labels) // _FEWEST))
    yield from zip(inputs.tensor_split(count), labels.tensor_split(count), strict=True)
