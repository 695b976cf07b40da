"""Folds batch norms into the convolutions before them, once for all formats. It knows no format."""

from torch import fx, nn
from torch.fx.experimental.optimization import fuse


def fold_batch_norms(network: nn.Module) -> fx.GraphModule:
    """Return an eval-mode copy without batch norms: exact but for rounding; modules keep their names."""
    folded = fuse(network).requires_grad_(False).eval()
    assert isinstance(folded, fx.GraphModule)
    return folded
