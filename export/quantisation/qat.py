"""Quantisation-aware training: trains weights with rounding in the loop to give the fp32 network's logits.

It trains by distillation: the fp32 network is the teacher, so that no label is needed and nothing new is
learnt. Gradients pass through the rounding unchanged (straight-through estimator, Bengio et al. 2013, arXiv
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

BATCH = 16
"""How many images a step of the training takes."""
_STEPS = 300
_SEED = 7
# A MobileNetV2 all in int8 (ImageNet weights, 96x96) gained 0.6 dB of SQNR; ten times this rate lost 6 dB.
_LEARNING_RATE = 1e-5


class _OnGrid(nn.Module):
    """A parametrisation that puts weights on their int8 grid and passes gradients through."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level

    def forward(self, weight: Tensor) -> Tensor:
        """[out, …] to the same shape."""
        return weight + (on_grid(weight, self._level) - weight).detach()


def train_quantised(
    network: fx.GraphModule,
    start: fx.GraphModule,
    images: Tensor,
    ranges: Mapping[str, Range],
    excluded_modules: frozenset[str],
    level: int,
    report: Callable[[int, int], None],
    at_once: int = BATCH,
) -> fx.GraphModule:
    """Return a copy of `start`, the corrected network, trained to give the logits of `network`.

    `images`: float32 [n, 3, h, w]. Weights lie on the int8 grid (±`level` steps) before and after; excluded
    modules are trained too. `report` receives how many steps of how many are done. `at_once`: how many images
    of a batch are run together; the gradients of its parts add up to the same.
    """
    torch.manual_seed(_SEED)
    with torch.inference_mode():
        target = torch.cat([network(batch) for batch in torch.split(images, BATCH)])
    target = target.clone()
    student = copy.deepcopy(start).requires_grad_(True)
    layers = [name for name in weighted(network) if name not in excluded_modules]
    for name in layers:
        parametrize.register_parametrization(student.get_submodule(name), "weight", _OnGrid(level))
    tensors = quantised_tensors(network, excluded_modules)
    optimiser = torch.optim.Adam(student.parameters(), lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _STEPS)
    for step in range(_STEPS):
        chosen = torch.randperm(len(images))[:BATCH]
        optimiser.zero_grad()
        for part in torch.split(chosen, at_once):
            logits = simulate(student, network.graph, images[part], ranges, tensors)
            loss = F.mse_loss(logits, target[part]) * (len(part) / len(chosen))
            loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        report(step + 1, _STEPS)
    for name in layers:
        parametrize.remove_parametrizations(student.get_submodule(name), "weight")
    return student.requires_grad_(False)
