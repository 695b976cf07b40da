"""The networks that a worker exports: the source's own, and its int8 versions. It knows no format."""

import copy
import fcntl
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, fx

from bench.bundle.cpu_class import TARGETS
from bench.bundle.recipe import Recipe
from bench.filesystem.unfinished import PART, name_beside
from export.calibration import calibration_inputs
from export.messages import Entered, Report, Steps, Task
from export.quantisation.balance import balance
from export.quantisation.correction import correct
from export.quantisation.equalisation import equalise
from export.quantisation.memory import Footprint, footprint_of
from export.quantisation.qat import BATCH, train_quantised
from export.quantisation.simulation import Range, find_ranges
from export.sources.any_batch import ONE_SAMPLE
from export.sources.opening import load
from export.sources.source import NotLayeredError
from export.sources.spec import OpenSource
from export.stages import steps_of

# Means and ranges of this many images are steady.
_IMAGES_TO_SIMULATE = 64
_BATCH = 32
_MOST_TO_TRAIN_ON = 512
_IMAGE_AXES = 4


@dataclass(frozen=True)
class Simulated:
    """A source's network after cross-layer equalisation, and what int8 is simulated with."""

    network: fx.GraphModule
    images: Tensor
    """Calibration inputs, float32 [n, channels, height, width]: as many as fit in memory at once."""
    ranges: dict[str, Range]
    """The ranges of the network's tensors, by node name."""
    footprint: Footprint
    """What the network needs for the fewest images that it takes."""


# The last one: every recipe needs it.
_SIMULATED: dict[tuple[OpenSource, str], Simulated] = {}


def simulate(source: OpenSource, calibration: str, steps: Steps) -> Simulated:
    """Equalise the network on a few calibration inputs and find the range of every tensor; only once."""
    key = (source, calibration)
    if key not in _SIMULATED:
        _SIMULATED.clear()
        _SIMULATED[key] = _simulate(source, calibration, steps)
    return _SIMULATED[key]


def _simulate(source: OpenSource, calibration: str, steps: Steps) -> Simulated:
    images = _calibration_tensor(source, calibration, _IMAGES_TO_SIMULATE)
    network = with_judged_output(load(source).network, source.output.index)
    footprint = footprint_of(network, images[: _fewest(source)])
    batches = list(torch.split(images, footprint.at_once(_BATCH)))
    equalised = _shared_tensors(
        calibration, "equalised", lambda: _equalised(network, batches, steps).state_dict()
    )
    network.load_state_dict(equalised)
    ranges = _shared_tensors(calibration, "ranges", lambda: _as_tensors(find_ranges(network, batches)))
    steps(3, 3)
    return Simulated(network, images[: footprint.at_once(_IMAGES_TO_SIMULATE)], _as_ranges(ranges), footprint)


def _equalised(network: fx.GraphModule, batches: Sequence[Tensor], steps: Steps) -> fx.GraphModule:
    """Return a copy that differs in its weights alone."""
    network = balance(network, batches)
    steps(1, 3)
    network = equalise(network, batches)
    steps(2, 3)
    return network


def _as_tensors(ranges: Mapping[str, Range]) -> dict[str, Tensor]:
    return {name: torch.tensor([each.low, each.high], dtype=torch.float64) for name, each in ranges.items()}


def _as_ranges(tensors: Mapping[str, Tensor]) -> dict[str, Range]:
    return {name: Range(*values.tolist()) for name, values in tensors.items()}


def _fewest(source: OpenSource) -> int:
    """Return how many samples the only input takes at least: as many as a model file's fixed batch has."""
    return source.inputs[0].sizes[0]


def with_judged_output(network: fx.GraphModule, index: int) -> fx.GraphModule:
    """Return a copy that gives output `index` alone, as [n, values]: what int8 is judged by.

    Raises NotLayeredError for a network with several inputs, and for one that takes one sample at a time.
    """
    if network.meta.get(ONE_SAMPLE):
        raise NotLayeredError("int8 is simulated on several samples at once, and this network takes only one")
    if len(network.graph.find_nodes(op="placeholder")) > 1:
        raise NotLayeredError("int8 is simulated for networks with one input, and this one has more")
    network = copy.deepcopy(network)
    output = network.graph.output_node()
    (value,) = output.args
    if isinstance(value, Sequence):
        value = value[index]
    if isinstance(value, fx.Node) and len(value.meta.get("shape", ())) > 2:
        with network.graph.inserting_before(output):
            value = network.graph.call_function(torch.flatten, (value, 1))
    output.args = (value,)
    network.recompile()
    return network


def _calibration_tensor(source: OpenSource, calibration: str, most: int) -> Tensor:
    """Return the only input of at most this many calibration samples, in one batch."""
    inputs = calibration_inputs(calibration, source.inputs, most)
    batch = torch.from_numpy(inputs.batch(0, len(inputs)))
    return batch.contiguous(memory_format=torch.channels_last) if batch.dim() == _IMAGE_AXES else batch


def network_for(task: Task, recipe: Recipe, report: Report) -> fx.GraphModule:
    """Return the network that a recipe quantises."""
    if not recipe.corrected:
        return load(task.source).network
    excluded_modules = frozenset(recipe.excluded_modules)
    level = TARGETS[task.cpu].weight_level

    def corrected() -> fx.GraphModule:
        simulated = _simulated(task, report)
        report(Entered(stage="round weights"))
        return correct(
            simulated.network,
            simulated.images,
            simulated.ranges,
            excluded_modules,
            level,
            steps_of(report),
        )

    name = hashlib.sha256("\n".join(recipe.excluded_modules).encode()).hexdigest()[:16]
    network = _shared(task, f"corrected-{name}", corrected)
    if not recipe.qat:
        return network
    return _shared(task, f"qat-{name}", lambda: _train(task, network, excluded_modules, level, report))


def ranges_for(task: Task, report: Report) -> dict[str, Range]:
    """Return the ranges that weights are corrected for, which all recipes share, by node name."""
    return _simulated(task, report).ranges


def _shared(task: Task, name: str, make: Callable[[], fx.GraphModule]) -> fx.GraphModule:
    """Return a network that every format quantises."""
    network = copy.deepcopy(load(task.source).network)
    assert task.calibration is not None  # only formats in int8 need them
    tensors = _shared_tensors(task.calibration, name, lambda: make().state_dict())
    network.load_state_dict(tensors)
    return network


def _shared_tensors(
    calibration: str, name: str, make: Callable[[], Mapping[str, Tensor]]
) -> dict[str, Tensor]:
    """Return tensors that every format needs.

    The first worker that needs them makes them, beside the calibration samples; the others wait for it, and
    read them.
    """
    file = Path(calibration).with_name(f"{name}.safetensors")
    with _one_at_a_time(file):
        if not file.exists():
            # A worker may be ended while it writes, and the next one needs a whole file: so it is renamed
            # last.
            part = name_beside(file, PART)
            # Copies, since safetensors stores no two tensors of the same memory, as tied weights are.
            save_file({key: value.clone() for key, value in make().items()}, part)
            part.rename(file)
    tensors: dict[str, Tensor] = load_file(file)
    return tensors


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    """Let one worker at a time make a file. The kernel lets go of the lock of a worker that ends."""
    with file.with_suffix(".lock").open("wb") as lock:
        with suppress(OSError):  # no locks here: each worker makes the file, and all make the same
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _simulated(task: Task, report: Report) -> Simulated:
    report(Entered(stage="simulate int8"))
    assert task.calibration is not None  # only formats in int8 need a simulation
    return simulate(task.source, task.calibration, steps_of(report))


def _train(
    task: Task, corrected: fx.GraphModule, excluded_modules: frozenset[str], level: int, report: Report
) -> fx.GraphModule:
    simulated = _simulated(task, report)
    report(Entered(stage="quantisation-aware training"))
    assert task.calibration is not None
    images = _calibration_tensor(task.source, task.calibration, _MOST_TO_TRAIN_ON)
    return train_quantised(
        simulated.network,
        corrected,
        images,
        simulated.ranges,
        excluded_modules,
        level,
        steps_of(report),
        simulated.footprint.trained_at_once(BATCH),
    )
