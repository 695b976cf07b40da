"""The networks that a worker exports: the run's own, and its int8 versions. It knows no format."""

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, fx, nn
from torch.fx.experimental.optimization import fuse

from bench.bundle.cpu_class import TARGETS
from bench.bundle.recipe import Recipe
from export.images import calibration_images
from export.messages import Advanced, Entered, Report, Task
from export.quantisation.correction import correct
from export.quantisation.equalisation import equalise
from export.quantisation.qat import train_quantised
from export.quantisation.simulation import Range, find_ranges
from models.dataset import Images
from models.pixels import to_input, to_planes
from models.run_folder import RunFolder, read_run

# Means and ranges of this many images are steady, and their activations fit in memory at 224x224 (1.2 GB).
_IMAGES_TO_SIMULATE = 64
_BATCH = 32


@dataclass(frozen=True)
class LoadedRun:
    """A run and its network in eval mode, batch norms folded."""

    run: RunFolder
    network: fx.GraphModule


@lru_cache(maxsize=1)
def load(folder: str) -> LoadedRun:
    """Read a run folder once; every call returns the same network object."""
    run = read_run(Path(folder))
    return LoadedRun(run, fold_batch_norms(run.network()))


def fold_batch_norms(network: nn.Module) -> fx.GraphModule:
    """Return an eval-mode copy whose batch norms are folded into the convolutions before them.

    The result is exact but for rounding, and modules keep their names.
    """
    folded = fuse(network).requires_grad_(False).eval()
    assert isinstance(folded, fx.GraphModule)
    return folded


def reference_logits(network: nn.Module, images: Images) -> npt.NDArray[np.float32]:
    """Return float32 [n, classes] for uint8 images; the network is in eval mode and float32."""
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.inference_mode():
        batches = range(0, len(images), _BATCH)
        parts = [network(to_input(to_planes(images[first : first + _BATCH]))).numpy() for first in batches]
    logits: npt.NDArray[np.float32] = np.concatenate(parts)
    return logits


@dataclass(frozen=True)
class Simulated:
    """A run's network after cross-layer equalisation, and what int8 is simulated with."""

    network: fx.GraphModule
    images: Tensor
    """Training images, float32 [n, 3, side, side] in [0, 1]."""
    ranges: dict[str, Range]
    """The ranges of the network's tensors on these images, by node name."""


@lru_cache(maxsize=1)
def simulate(folder: str) -> Simulated:
    """Equalise the network on a few training images and find the range of every tensor."""
    loaded = load(folder)
    images = to_input(to_planes(calibration_images(loaded.run.images, _IMAGES_TO_SIMULATE)))
    batches = list(torch.split(images, _BATCH))
    network = equalise(loaded.network, batches)
    return Simulated(network, images, find_ranges(network, batches))


def network_for(task: Task, recipe: Recipe, report: Report) -> fx.GraphModule:
    """Return the network that a recipe quantises."""
    if not recipe.corrected:
        return load(task.run).network
    excluded_modules = frozenset(recipe.excluded_modules)
    level = TARGETS[task.cpu].weight_level

    def corrected() -> fx.GraphModule:
        report(Entered(stage="round weights"))
        simulated = simulate(task.run)
        return correct(simulated.network, simulated.images, simulated.ranges, excluded_modules, level)

    name = hashlib.sha256("\n".join(recipe.excluded_modules).encode()).hexdigest()[:16]
    network = _shared(task, f"corrected-{name}", corrected)
    if not recipe.qat:
        return network
    return _shared(task, f"qat-{name}", lambda: _train(task, network, excluded_modules, level, report))


def _shared(task: Task, name: str, make: Callable[[], fx.GraphModule]) -> fx.GraphModule:
    """Return a network that every format quantises.

    The first worker that needs it makes it, the others read it.
    """
    if task.search is None:
        return make()
    file = Path(task.search.scratch) / f"{name}.safetensors"
    if not file.exists():
        # A worker may be ended while it writes, and the next one needs a whole file: so it is renamed last.
        save_file(make().state_dict(), file.with_suffix(".part"))
        file.with_suffix(".part").rename(file)
    network = copy.deepcopy(load(task.run).network)
    network.load_state_dict(load_file(file))
    return network


def _train(
    task: Task, corrected: fx.GraphModule, excluded_modules: frozenset[str], level: int, report: Report
) -> fx.GraphModule:
    report(Entered(stage="quantisation-aware training"))
    simulated = simulate(task.run)
    images = to_input(to_planes(load(task.run).run.images.calibration.images))
    return train_quantised(
        simulated.network,
        corrected,
        images,
        simulated.ranges,
        excluded_modules,
        level,
        lambda done, total: report(Advanced(done=done, total=total)),
    )
