"""What the tests of models/ share."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from making.films import Remembering, medmnist_arrays, write_films


@pytest.fixture
def progress() -> Remembering:
    return Remembering()


@pytest.fixture
def write_class() -> Callable[..., None]:
    return write_films


@pytest.fixture
def npz_file(tmp_path: Path) -> Path:
    path = tmp_path / "films.npz"
    np.savez(path, **medmnist_arrays())
    return path
