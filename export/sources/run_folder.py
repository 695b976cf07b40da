"""A run folder as a source: the network that edgefit fine-tuned."""

from functools import cached_property
from pathlib import Path

import torch
from torch import fx, nn

from bench.bundle.signature import Inputs, Outputs
from export.sources.finite_weights import of_network, refuse_not_finite
from export.sources.folding import fold_batch_norms, has_batch_norms
from export.sources.layered import layered_network
from export.sources.library import Timm
from export.sources.torch_network import exported
from models.architecture import is_of_timm
from models.run_folder import RunFolder, read_run


class RunSource:
    """The network of a run folder."""

    def __init__(self, folder: Path) -> None:
        """Read the folder; raises InputError if it is no run folder, or damaged."""
        self._run: RunFolder = read_run(folder)
        if is_of_timm(self._run.record.arch):
            Timm()  # says how timm is installed, if it is not

    def run(self, inputs: Inputs) -> Outputs:
        """Run the network on one batch of RGB images in [0, 1]."""
        with torch.inference_mode():
            image = torch.from_numpy(inputs[0]).to(memory_format=torch.channels_last)
            return [self._network(image).numpy()]

    def layered(self) -> fx.GraphModule:
        """Return the network's layers, with its batch norms folded.

        torch.export traces networks of timm, since torch.fx cannot trace each of them, and networks of which
        batch norms are left after folding: the layers of such networks may lack a bias, which int8 corrects.
        """
        network = self._run.network()
        if not is_of_timm(self._run.record.arch):
            folded = fold_batch_norms(network)
            if not has_batch_norms(folded):
                return folded
        side = self._run.record.image_size
        return layered_network(exported(network, (torch.zeros(1, 3, side, side),), {}))

    def base(self) -> None:
        """Return nothing: every format is made of the network."""
        return

    @cached_property
    def _network(self) -> nn.Module:
        own = self._run.network()
        refuse_not_finite(str(self._run.folder), of_network(own))
        network: nn.Module = own.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network
