"""The networks that a worker exports: the run's own, and what int8 recipes make of it. It knows no format."""

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, fx

from bench.bundle.cpu_class import TARGETS
from bench.bundle.recipe import Recipe
from export.calibration import calibration_images
from export.folding import fold_batch_norms
from export.messages import Advanced, Entered, Task, Tell
from export.quantisation.correction import correct
from export.quantisation.equalisation import equalise
from export.quantisation.refinement import refine
from export.quantisation.simulation import Range, find_ranges
from models.pixels import to_input, to_planes
from models.run_folder import Run, read_run

# Means and ranges of so many images are steady, and their activations fit in memory at 224x224 (1.2 GB).
_IMAGES_TO_SIMULATE = 64
_BATCH = 32


@dataclass(frozen=True)
class Loaded:
    """A run and its network, eval mode, batch norms folded."""

    run: Run
    network: fx.GraphModule


@lru_cache(maxsize=1)
def load(folder: str) -> Loaded:
    """Read a run folder once; the network is the same object each time."""
    run = read_run(Path(folder))
    return Loaded(run, fold_batch_norms(run.network()))


@dataclass(frozen=True)
class Simulated:
    """A run's network with equalised channels, training images, float32 [n, 3, side, side] in [0, 1], and the
    ranges of its tensors on them, by node name.
    """

    network: fx.GraphModule
    images: Tensor
    ranges: dict[str, Range]


@lru_cache(maxsize=1)
def simulate(folder: str) -> Simulated:
    """Equalise the network on a few training images and note what every tensor takes."""
    loaded = load(folder)
    images = to_input(to_planes(calibration_images(loaded.run.images, _IMAGES_TO_SIMULATE)))
    batches = list(torch.split(images, _BATCH))
    network = equalise(loaded.network, batches)
    return Simulated(network, images, find_ranges(network, batches))


def network_for(task: Task, recipe: Recipe, tell: Tell) -> fx.GraphModule:
    """Return the network that a recipe quantises."""
    if not recipe.corrected:
        return load(task.run).network
    excluded_modules = frozenset(recipe.excluded_modules)
    level = TARGETS[task.cpu].weight_level

    def corrected() -> fx.GraphModule:
        tell(Entered(stage="round weights"))
        simulated = simulate(task.run)
        return correct(simulated.network, simulated.images, simulated.ranges, excluded_modules, level)

    name = hashlib.sha256("\n".join(recipe.excluded_modules).encode()).hexdigest()[:16]
    network = _shared(task, f"corrected-{name}", corrected)
    if not recipe.qat:
        return network
    return _shared(task, f"refined-{name}", lambda: _qat(task, network, excluded_modules, level, tell))


def _shared(task: Task, name: str, make: Callable[[], fx.GraphModule]) -> fx.GraphModule:
    """Return a network that every format quantises: made by the first that needs it, read by the others."""
    if task.search is None:
        return make()
    file = Path(task.search.scratch) / f"{name}.safetensors"
    if not file.exists():
        # Under another name first: a worker may be ended while it writes, and the next one needs the whole.
        save_file(make().state_dict(), file.with_suffix(".part"))
        file.with_suffix(".part").rename(file)
    network = copy.deepcopy(load(task.run).network)
    network.load_state_dict(load_file(file))
    return network


def _qat(
    task: Task, corrected: fx.GraphModule, excluded_modules: frozenset[str], level: int, tell: Tell
) -> fx.GraphModule:
    tell(Entered(stage="refine"))
    simulated = simulate(task.run)
    images = to_input(to_planes(load(task.run).run.images.calibration.images))
    return refine(
        simulated.network,
        corrected,
        images,
        simulated.ranges,
        excluded_modules,
        level,
        lambda done, of: tell(Advanced(done=done, total=of)),
    )
