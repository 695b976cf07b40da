"""What the tests of models/ share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from making.films import Remembering, medmnist_arrays, save_npz, write_films


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Small networks are slower on several threads, and much slower on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def progress() -> Remembering:
    return Remembering()


@pytest.fixture
def write_class() -> Callable[..., None]:
    return write_films


@pytest.fixture
def npz_file(tmp_path: Path) -> Path:
    path = tmp_path / "films.npz"
    save_npz(path, medmnist_arrays())
    return path
