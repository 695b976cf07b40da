"""Trains the bundled starting weights on generated radiographs. No command of edgefit runs it.

Run it as `python -m models.pretrain --out FILE`. The films are synthetic (`models.synthetic.radiograph`),
with CHECKPOINT_SEEDS, which the data source `synthetic` never uses. The weights prove nothing clinical.
"""

import argparse
import copy
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Generator, Tensor, nn

from models.architectures import find_architecture
from models.network import ImageClassifier, SequentialClassifier, classify
from models.pixels import to_input
from models.synthetic.canvas import Field
from models.synthetic.opacities import FINDINGS
from models.synthetic.radiograph import CHECKPOINT_SEEDS, render_charted

ARCHITECTURE = "mobilenet_v2"
TARGETS = ("pneumonia", *FINDINGS)
FILM_SIDE = 112
CHART_SIDE = 28
CHARTS = 1 + len(FINDINGS)
CHART_BLOCK = 13  # the last feature block whose output has a sixteenth of the image's side
CHART_CHANNELS = 96  # the channels of that output
CHART_WEIGHT = 4.0
HELD_OUT_SEEDS = CHECKPOINT_SEEDS[-512:]
SEED = 20


@dataclass(frozen=True)
class Schedule:
    """How the training proceeds: a round renders `films` new films and trains on each `passes` times."""

    rounds: int
    films: int = 2000
    passes: int = 2
    batch_size: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warm_up_share: float = 0.05
    averaging: float = 0.995  # share of the old average in each step; the average is saved

    @property
    def steps(self) -> int:
        """The number of optimiser steps."""
        return self.rounds * self.passes * (self.films // self.batch_size)


@dataclass(frozen=True)
class Films:
    """Rendered films with everything that is learnt from them."""

    images: npt.NDArray[np.uint8]
    """uint8 [n, FILM_SIDE, FILM_SIDE]."""
    targets: npt.NDArray[np.float32]
    """float32 [n, len(TARGETS)]: 1 if the film shows it."""
    charts: npt.NDArray[np.uint8]
    """uint8 [n, CHARTS, CHART_SIDE, CHART_SIDE]: the share of lung or finding in each cell, 255 for all."""


@dataclass(frozen=True)
class Batch:
    """float32 tensors: planes [n, 1, side, side], targets [n, len(TARGETS)] and charts [n, CHARTS, …]."""

    planes: Tensor
    targets: Tensor
    charts: Tensor


class Student(nn.Module):
    """The network in training.

    It also predicts where lung and findings are, which makes it learn much faster.
    """

    def __init__(self, network: SequentialClassifier) -> None:
        super().__init__()
        self.network = network
        self.chart = nn.Conv2d(CHART_CHANNELS, CHARTS, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """float32 [n, 3, h, w] to logits [n, len(TARGETS)] and chart logits [n, CHARTS, h / 16, w / 16]."""
        features = self.network.features[: CHART_BLOCK + 1](self.network.normalise(images))
        logits = classify(self.network.features[CHART_BLOCK + 1 :](features), self.network.classifier)
        return logits, self.chart(features)


def render_films(seeds: range) -> Films:
    """Render the films of some seeds, with every finding as a target of its own."""
    images = np.empty((len(seeds), FILM_SIDE, FILM_SIDE), dtype=np.uint8)
    targets = np.zeros((len(seeds), len(TARGETS)), dtype=np.float32)
    charts = np.zeros((len(seeds), CHARTS, CHART_SIDE, CHART_SIDE), dtype=np.uint8)
    for index, seed in enumerate(seeds):
        charted = render_charted(seed, FILM_SIDE)
        images[index] = charted.film.pixels
        targets[index] = [charted.film.label, *(name in charted.film.findings for name in FINDINGS)]
        charts[index, 0] = _to_chart(charted.air)
        if charted.opacities is not None:
            for finding, opacity in enumerate(charted.opacities):
                charts[index, 1 + finding] = _to_chart(charted.air * opacity)
    return Films(images, targets, charts)


def _to_chart(field: Field) -> npt.NDArray[np.uint8]:
    """Average a field in [0, 1] over blocks and scale it to 0 to 255."""
    block = FILM_SIDE // CHART_SIDE
    means = field.reshape(CHART_SIDE, block, CHART_SIDE, block).mean(axis=(1, 3))
    chart: npt.NDArray[np.uint8] = (means * 255.0 + 0.5).astype(np.uint8)
    return chart


def augment(planes: Tensor, charts: Tensor, side: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Convert float32 [n, 1, h, w] to [n, 1, side, side], moved, mirrored, often blurred and re-exposed.

    Charts are moved in the same way. Blurring goes down to the detail of 28 pixels, so that the features also
    fit small images that were enlarged.
    """
    moves = _random_moves(len(planes), generator)
    planes = _move(planes, moves, side)
    cells = -(-side // 16)
    charts = F.avg_pool2d(_move(charts, moves, 4 * cells), 4)
    if torch.rand(1, generator=generator).item() < 0.6:
        detail = int(torch.randint(28, side + 1, (1,), generator=generator).item())
        small = F.interpolate(planes, size=(detail, detail), mode="bilinear", antialias=True)
        planes = F.interpolate(small, size=(side, side), mode="bilinear")
    return _expose(planes, generator), charts


def _random_moves(count: int, generator: Generator) -> Tensor:
    """Return moves [count, 2, 3]: turned ≤ 12°, magnified 0.85 to 1.3, shifted ≤ 8 %, half mirrored."""
    uniform = torch.rand((5, count), generator=generator) * 2 - 1
    angle, zoom = uniform[0] * 0.21, 1.0 / (1.075 + 0.225 * uniform[1])
    mirror = torch.where(uniform[2] < 0, -1.0, 1.0)
    cosine, sine = zoom * torch.cos(angle), zoom * torch.sin(angle)
    first = torch.stack([mirror * cosine, -sine, 0.16 * uniform[3]], 1)
    second = torch.stack([mirror * sine, cosine, 0.16 * uniform[4]], 1)
    return torch.stack([first, second], 1)


def _move(planes: Tensor, moves: Tensor, side: int) -> Tensor:
    grid = F.affine_grid(moves, [*planes.shape[:2], side, side], align_corners=False)
    return F.grid_sample(planes, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _expose(planes: Tensor, generator: Generator) -> Tensor:
    """Change gamma, contrast and brightness of each image."""
    uniform = (torch.rand((3, len(planes)), generator=generator) * 2 - 1).reshape(3, -1, 1, 1, 1)
    exposed = planes.clamp(1e-3, 1.0) ** torch.exp(0.4 * uniform[0])
    exposed = (exposed - 0.5) * (1.0 + 0.35 * uniform[1]) + 0.5 + 0.12 * uniform[2]
    return exposed.clamp(0.0, 1.0)


def side_of(progress: float, generator: Generator) -> int:
    """Return the input size of a batch: small at first, so that steps are fast."""
    sides = (80, 96) if progress < 0.5 else (80, 96, 112, 128)
    return sides[int(torch.randint(len(sides), (1,), generator=generator).item())]


def learning_rate_factor(step: int, schedule: Schedule) -> float:
    """Return the factor of the learning rate: a linear warm-up, then a linear fall to a hundredth."""
    done = step / schedule.steps
    return min(done / schedule.warm_up_share + 0.01, 1.0) * max(1.0 - done, 0.01)


def train(schedule: Schedule, out: Path) -> None:
    """Train from random weights, and save the averaged network to `out` after each round."""
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    network = find_architecture(ARCHITECTURE).build(len(TARGETS))
    assert isinstance(network, SequentialClassifier)
    student = Student(network)
    student.network.features.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(student)
    optimiser = torch.optim.AdamW(student.parameters(), weight_decay=schedule.weight_decay)
    held_out = render_films(HELD_OUT_SEEDS)
    step = 0
    for number in range(schedule.rounds):
        films = render_films(CHECKPOINT_SEEDS[number * schedule.films : (number + 1) * schedule.films])
        losses = []
        for batch in _batches(films, schedule, generator):
            for group in optimiser.param_groups:
                group["lr"] = schedule.learning_rate * learning_rate_factor(step, schedule)
            side = side_of(step / schedule.steps, generator)
            planes, charts = augment(batch.planes, batch.charts, side, generator)
            losses.append(_train_step(student, optimiser, Batch(planes, batch.targets, charts)))
            _average(average, student, min(schedule.averaging, (1 + step) / (10 + step)))
            step += 1
        save_checkpoint(average.network, out)
        loss, chart_loss = np.mean(losses, axis=0)
        figures = _held_out_figures(average.network, held_out)
        _say(
            f"round {number + 1}/{schedule.rounds}: "
            f"loss {loss:.3f}, charts {chart_loss:.3f}; accuracy on held-out films: {figures}"
        )


def _batches(films: Films, schedule: Schedule, generator: Generator) -> Iterator[Batch]:
    for _ in range(schedule.passes):
        order = torch.randperm(len(films.images), generator=generator).numpy()
        for start in range(0, len(order) - schedule.batch_size + 1, schedule.batch_size):
            chosen = order[start : start + schedule.batch_size]
            planes = torch.from_numpy(films.images[chosen]).float().div_(255).unsqueeze(1)
            charts = torch.from_numpy(films.charts[chosen]).float().div_(255)
            yield Batch(planes, torch.from_numpy(films.targets[chosen]), charts)


def _train_step(student: Student, optimiser: torch.optim.Optimizer, batch: Batch) -> tuple[float, float]:
    student.train()
    logits, charts = student(to_input(batch.planes))
    loss = F.binary_cross_entropy_with_logits(logits, batch.targets)
    chart_loss = F.binary_cross_entropy_with_logits(charts, batch.charts)
    optimiser.zero_grad(set_to_none=True)
    (loss + CHART_WEIGHT * chart_loss).backward()  # type: ignore[no-untyped-call]
    optimiser.step()
    return loss.item(), chart_loss.item()


@torch.no_grad()
def _average(average: Student, student: Student, share: float) -> None:
    """Move the average towards the student, and copy counters."""
    current = student.state_dict()
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            value.lerp_(current[name], 1.0 - share)
        else:
            value.copy_(current[name])


@torch.no_grad()
def _held_out_figures(network: ImageClassifier, films: Films) -> str:
    """Return the accuracy of each target at 96 pixels."""
    network.eval()
    planes = torch.from_numpy(films.images).float().div_(255).unsqueeze(1)
    planes = F.interpolate(planes, size=(96, 96), mode="bilinear", antialias=True)
    logits = torch.cat([network(to_input(part)) for part in torch.split(planes, 64)])
    accuracy = ((logits > 0) == (torch.from_numpy(films.targets) > 0.5)).float().mean(0)
    return ", ".join(f"{name} {share:.3f}" for name, share in zip(TARGETS, accuracy.tolist(), strict=True))


def save_checkpoint(network: ImageClassifier, out: Path) -> None:
    """Write a torchvision state dict with a head for (normal, pneumonia), large tensors in half precision."""
    tensors = {
        name: value for name, value in network.state_dict().items() if not name.startswith("normalise.")
    }
    head = find_architecture(ARCHITECTURE).head
    for name in (f"{head}.weight", f"{head}.bias"):
        # Two logits replace one: the softmax of (-z/2, z/2) is the sigmoid of z.
        tensors[name] = torch.stack([-0.5 * tensors[name][0], 0.5 * tensors[name][0]])
    stored = {
        name: (value.half() if value.ndim > 1 else value).contiguous() for name, value in tensors.items()
    }
    unfinished = out.with_name(f"{out.name}.unfinished")
    content = save(stored, metadata={"trained_on": "synthetic radiographs only; not clinical"})
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # else a loss of power could leave an empty checkpoint with this name
    os.replace(unfinished, out)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def main() -> None:
    """Train on one thread: more threads would change the order of sums, and so the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="the checkpoint (.safetensors) to write")
    parser.add_argument(
        "--rounds",
        type=int,
        default=12,
        help="the number of rounds, each with new films (default: %(default)s)",
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    schedule = Schedule(rounds=arguments.rounds)
    _say(f"{schedule.rounds * schedule.films} synthetic films, {schedule.steps} steps; not clinical data")
    train(schedule, arguments.out)


if __name__ == "__main__":
    main()
