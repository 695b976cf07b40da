"""Real image files, small and quick to learn from, and a progress that remembers."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIDE = 40


@dataclass
class Remembering:
    """A progress that keeps what it is told."""

    tasks: list[tuple[str, int]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    steps: int = 0

    def begin(self, task: str, total: int) -> None:
        self.tasks.append((task, total))

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.steps += steps

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def progress() -> Remembering:
    return Remembering()


def film(label: int, seed: int, side: int = SIDE) -> np.ndarray:
    """uint8 [side, side]: noise, and for label 1 a bright square in it."""
    random = np.random.default_rng(seed)
    pixels = random.integers(20, 90, (side, side))
    if label:
        top, left = random.integers(side // 8, side // 2, 2)
        pixels[top : top + side // 3, left : left + side // 3] += 140
    return pixels.astype(np.uint8)


Writer = Callable[[Path, int], Path]


@pytest.fixture
def write_class() -> Callable[..., None]:
    """Write `count` films of a label into a folder, named by `pattern` with the number in it."""

    def write(folder: Path, label: int, count: int, pattern: str = "film{}.png", first: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            Image.fromarray(film(label, 1000 * label + number)).save(folder / pattern.format(number))

    return write


def medmnist_arrays(train: int = 40, val: int = 20, test: int = 20, side: int = 28) -> dict[str, np.ndarray]:
    """MedMNIST's six arrays, both classes in turn."""
    arrays = {}
    for start, (name, count) in enumerate((("train", train), ("val", val), ("test", test))):
        labels = np.arange(count) % 2
        seeds = 10_000 * (start + 1) + np.arange(count)
        arrays[f"{name}_images"] = np.stack(
            [film(int(label), int(seed), side) for label, seed in zip(labels, seeds, strict=True)]
        )
        arrays[f"{name}_labels"] = labels.astype(np.uint8)[:, np.newaxis]
    return arrays


@pytest.fixture
def npz_file(tmp_path: Path) -> Path:
    path = tmp_path / "films.npz"
    np.savez(path, **medmnist_arrays())
    return path
