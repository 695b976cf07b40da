"""Refinement: trains weights further with rounding in the loop, until the logits are the fp32 network's.

Quantisation-aware training by distillation: the fp32 network is the teacher, so no label is needed and
nothing new is learnt. Gradients pass the rounding as if it were not there (Bengio et al. 2013, arXiv
1308.3432).
"""

import copy
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.nn.utils import parametrize

from export.quantisation.rounding import on_grid
from export.quantisation.simulation import (
    Range,
    quantised_tensors,
    simulate,
    weighted,
)

_BATCH = 16
_STEPS = 300
_SEED = 7
# A MobileNetV2 all in int8 (ImageNet weights, 96x96) gained 0.6 dB of SQNR; ten times as much lost 6 dB.
_LEARNING_RATE = 1e-5


class _OnGrid(nn.Module):
    """A parametrisation: weights on their int8 grid, with the gradient of the weights themselves."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def forward(self, weight: Tensor) -> Tensor:
        """[out, …] to the same shape."""
        return weight + (on_grid(weight, self._level) - weight).detach()


def refine(
    network: fx.GraphModule,
    start: fx.GraphModule,
    images: Tensor,
    ranges: Mapping[str, Range],
    excluded_modules: frozenset[str],
    level: int,
    tell: Callable[[int, int], None],
) -> fx.GraphModule:
    """Return a copy of `start` that was trained for some steps to answer as `network` does.

    `images`: float32 [n, 3, h, w]; `start`: the network, corrected. Weights lie on the int8 grid
    (±`level` steps) before and after; layers left in float are trained too. `tell` hears how many of how many
    steps are done.
    """
    torch.manual_seed(_SEED)
    with torch.inference_mode():
        wanted = torch.cat([network(batch) for batch in torch.split(images, _BATCH)])
    wanted = wanted.clone()
    student = copy.deepcopy(start).requires_grad_(True)
    layers = [name for name in weighted(network) if name not in excluded_modules]
    for name in layers:
        parametrize.register_parametrization(student.get_submodule(name), "weight", _OnGrid(level))
    tensors = quantised_tensors(network, excluded_modules)
    optimiser = torch.optim.Adam(student.parameters(), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for step in range(_STEPS):
        chosen = torch.randperm(len(images))[:_BATCH]
        answer = simulate(student, network.graph, images[chosen], ranges, tensors)
        loss = F.mse_loss(answer, wanted[chosen])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        tell(step + 1, _STEPS)
    for name in layers:
        parametrize.remove_parametrizations(student.get_submodule(name), "weight")
    return student.requires_grad_(False)
