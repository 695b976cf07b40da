"""Small image files, all different, for tests of data."""

import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def write_picture(path: Path, seed: int | None = None, size: tuple[int, int] = (10, 12)) -> Path:
    """Write a coloured image of a height and width; its pixels depend on the seed, or on the path."""
    random = np.random.default_rng(zlib.crc32(bytes(path)) if seed is None else seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
    return path


def write_pictures(folder: Path, count: int, name: str = "{}.png", first: int = 0) -> list[Path]:
    """Write images into a folder; `name` gets the number of each."""
    return [write_picture(folder / name.format(number)) for number in range(first, first + count)]
