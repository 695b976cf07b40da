"""Folds batch norms into the convolutions before them, in a network that torch.fx can trace."""

from torch import fx, nn
from torch.fx.experimental.optimization import fuse


def fold_batch_norms(network: nn.Module) -> fx.GraphModule:
    """Return an eval-mode copy whose batch norms are folded into the convolutions before them.

    The result is exact but for rounding, and modules keep their names.
    """
    folded = fuse(network).requires_grad_(False).eval()
    assert isinstance(folded, fx.GraphModule)
    return folded


def has_batch_norms(network: nn.Module) -> bool:
    """Return whether batch norms are left, such as those before the convolutions of a DenseNet."""
    return any(isinstance(module, nn.BatchNorm2d) for module in network.modules())
