"""How much time a training step takes in several ways, turn by turn.

The ways are an ordinary step, one that reuses freed memory, one with the fused Adam as well (what edgefit
does), and that one in BF16, with OpenMP's threads that sleep at once while they wait, or spin as long as by
default. Each has a process of its own, as the settings of memory and of OpenMP are a process's. CPU time is
that of user and system together; the system's is shown by itself. How OpenMP waits matters with --threads 2.

    python tests/benchmarks/training_step_speed.py --unfreeze 15
    python tests/benchmarks/training_step_speed.py --unfreeze 12 --threads 2
"""

from models import openmp_waiting  # noqa: F401 - before anything imports torch

# isort: split
import argparse
import contextlib
import functools
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from models.architectures import find_architecture
from models.memory_reuse import reused_memory
from models.network import split_network
from models.training.averaging import RunningMean
from models.training.settings import BATCH_SIZE

_STEPS = 8


@dataclass(frozen=True)
class Way:
    """One way of making a step."""

    name: str
    is_reusing: bool = True
    is_fused: bool = True
    is_bf16: bool = False
    waiting: str | None = None
    """OMP_WAIT_POLICY; None: as edgefit does."""


@dataclass(frozen=True)
class Taken:
    """Seconds of one step: of user and system, of system alone, and by the clock."""

    cpu: float
    system: float
    wall: float


WAYS = (
    Way("ordinary", is_reusing=False, is_fused=False),
    Way("memory reused", is_fused=False),
    Way("memory reused, fused Adam"),
    Way("memory reused, fused Adam, BF16", is_bf16=True),
    Way("memory reused, fused Adam, OpenMP sleeps at once", waiting="passive"),
    Way("memory reused, fused Adam, OpenMP spins", waiting="active"),
)


def main() -> None:
    """Take turns, and print the median of each way and its ratio to the ordinary step."""
    options = _parse()
    turns: dict[Way, list[Taken]] = {way: [] for way in WAYS}
    context = multiprocessing.get_context("spawn")
    with contextlib.ExitStack() as stack:
        pools = {way: stack.enter_context(ProcessPoolExecutor(1, context)) for way in WAYS}
        for way, pool in pools.items():  # a process reads its variables when it starts
            with _waiting(way):
                pool.submit(_time, way, options).result()
        for _ in range(options.turns):
            for way, pool in pools.items():
                turns[way].append(pool.submit(_time, way, options).result())
    first = turns[WAYS[0]]
    for way, taken in turns.items():
        cpu, wall = (statistics.median(getattr(each, name) for each in taken) for name in ("cpu", "wall"))
        system = statistics.mean(each.system for each in taken)
        ratio = statistics.median(each.cpu for each in first) / cpu
        wall_ratio = statistics.median(each.wall for each in first) / wall
        print(
            f"{way.name}: CPU {cpu * 1e3:.0f} ms, of which system {system * 1e3:.0f} ms, ratio {ratio:.2f}; "
            f"wall {wall * 1e3:.0f} ms, ratio {wall_ratio:.2f}"
        )


@contextlib.contextmanager
def _waiting(way: Way) -> Iterator[None]:
    """Have a process that starts meanwhile wait in this way."""
    if way.waiting is not None:
        os.environ["OMP_WAIT_POLICY"] = way.waiting
    try:
        yield
    finally:
        os.environ.pop("OMP_WAIT_POLICY", None)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A training step in several ways.")
    parser.add_argument("--arch", default="mobilenet_v2")
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--unfreeze", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=10)
    return parser.parse_args()


@functools.cache
def _step(way: Way, arch: str, image_size: int, unfreeze: int) -> Callable[[], None]:
    """Return a step on random features, like those of the training loop."""
    torch.manual_seed(0)
    network = find_architecture(arch).build(2)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parts = split_network(network, unfreeze)
    images = torch.rand(BATCH_SIZE, 3, image_size, image_size)
    with torch.no_grad():
        features = parts.frozen(images.contiguous(memory_format=torch.channels_last))
    labels, trained = torch.arange(BATCH_SIZE) % 2, parts.trained.train()
    optimizer = torch.optim.Adam(trained.parameters(), lr=5e-4, fused=way.is_fused)
    mean = RunningMean(trained)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16) if way.is_bf16 else contextlib.nullcontext():
            logits = trained(features)
        F.cross_entropy(logits.float(), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        mean.update()

    return step


def _time(way: Way, options: argparse.Namespace) -> Taken:
    """Make some steps unmeasured and some measured; return what one took. The system takes some steps to
    move threads that were asleep to cores of their own."""
    torch.set_num_threads(options.threads)
    step = _step(way, options.arch, options.image_size, options.unfreeze)
    with reused_memory() if way.is_reusing else contextlib.nullcontext():
        for _ in range(_STEPS):
            step()
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        for _ in range(_STEPS):
            step()
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    system = after.ru_stime - before.ru_stime
    user = after.ru_utime - before.ru_utime
    return Taken((user + system) / _STEPS, system / _STEPS, wall / _STEPS)


if __name__ == "__main__":
    main()
