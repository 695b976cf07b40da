"""Small films that are quick to learn from: noise, and for label 1 a bright square in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
from PIL import Image

from models.dataset import Dataset, Split

SIDE = 40


@dataclass
class Remembering:
    """A Progress that records its calls."""

    tasks: list[tuple[str, int]] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    steps: int = 0

    def begin(self, task: str, total: int) -> None:
        self.tasks.append((task, total))

    def advance(self, steps: int = 1, note: str = "") -> None:
        self.steps += steps
        self.notes.append(note)

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def say_always(self, sentence: str) -> None:
        self.say(sentence)


def film(label: int, seed: int, side: int = SIDE) -> npt.NDArray[np.uint8]:
    """uint8 [side, side]."""
    random = np.random.default_rng(seed)
    pixels = random.integers(20, 90, (side, side))
    if label:
        top, left = random.integers(side // 8, side // 2, 2)
        pixels[top : top + side // 3, left : left + side // 3] += 140
    return pixels.astype(np.uint8)


def films(count: int, side: int, first_seed: int) -> Split:
    """Films of both classes, alternating."""
    labels = np.arange(count) % 2
    images = [film(int(label), first_seed + index, side) for index, label in enumerate(labels)]
    return Split(np.stack(images), labels.astype(np.int64))


def dataset_of_films(train: int = 40, validation: int = 20, test: int = 20, side: int = 32) -> Dataset:
    """Three splits that share no film."""
    splits = [films(count, side, 10_000 * start) for start, count in enumerate((train, validation, test), 1)]
    return Dataset("films", ("normal", "square"), splits[0], splits[1], splits[2])


def medmnist_arrays(side: int = 28) -> dict[str, npt.NDArray[np.uint8]]:
    """MedMNIST's six arrays: 40, 20 and 20 films, with labels uint8 [n, 1]."""
    dataset = dataset_of_films(side=side)
    arrays: dict[str, npt.NDArray[np.uint8]] = {}
    for name, split in (("train", dataset.train), ("val", dataset.validation), ("test", dataset.test)):
        arrays[f"{name}_images"] = split.images
        arrays[f"{name}_labels"] = split.labels.astype(np.uint8)[:, np.newaxis]
    return arrays


def write_films(folder: Path, label: int, count: int, pattern: str = "film{}.png", first: int = 0) -> None:
    """Write `count` films of one label into a folder, named by `pattern` with the number in it."""
    folder.mkdir(parents=True, exist_ok=True)
    place = crc32(f"{folder.parent.name}/{folder.name}/{pattern}".encode()) // 2**12
    for number in range(first, first + count):
        Image.fromarray(film(label, 1000 * place + number)).save(folder / pattern.format(number))


def save_npz(file: Path | IO[bytes], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write arrays by their names."""
    np.savez(file, **arrays)  # type: ignore[arg-type] # a name could be that of an option
