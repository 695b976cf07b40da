"""How many images of a batch are trained on at once."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from making.films import Remembering
from torch import Generator, Tensor, nn

from models.architectures import find_architecture
from models.dataset import Dataset, Split
from models.pixels import images_at_once
from models.progress import Silent
from models.training import batch_memory
from models.training.batch_memory import at_once, bytes_per_image, parts_of
from models.training.frozen_features import CachedFeatures
from models.training.loop import train
from models.training.run import train_network
from models.training.settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=2, unfreeze=19, seed=0, flip=True, batch_size=8, views=1)


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 36, 2))


def test_what_the_gradients_need_is_counted_for_each_image() -> None:
    small, large = (bytes_per_image(layers()[:2], torch.rand(2, 3, side, side)) for side in (8, 62))

    # The inputs of the convolution, and the output of the ReLU.
    assert small == (3 * 8 * 8 + 16 * 6 * 6) * 4
    assert large == (3 * 62 * 62 + 16 * 60 * 60) * 4


def test_counting_changes_neither_the_network_nor_random_numbers() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3), nn.Dropout(), nn.Flatten(), nn.Linear(48, 2))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.get_rng_state()

    bytes_per_image(network.eval(), torch.rand(2, 3, 4, 4, generator=torch.Generator()))

    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert not network.training
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(("count", "most", "sizes"), [(8, 32, [8]), (8, 3, [3, 3, 2]), (7, 2, [3, 2, 2])])
def test_no_part_of_a_batch_is_a_single_image(count: int, most: int, sizes: list[int]) -> None:
    parts = parts_of(torch.rand(count, 1), torch.arange(count), most)

    assert [len(labels) for _, labels in parts] == sizes


def test_a_single_image_is_a_batch_of_its_own() -> None:
    ((_, labels),) = parts_of(torch.rand(1, 1), torch.zeros(1), 2)

    assert len(labels) == 1


def test_few_images_fit_where_each_needs_much() -> None:
    assert at_once(1, 32) == 32
    assert at_once(batch_memory.MOST_BYTES // 10, 32) == 10
    assert at_once(batch_memory.MOST_BYTES, 32) == 2


class Fixed:
    """Two batches, the same in every epoch."""

    def __init__(self) -> None:
        torch.manual_seed(1)
        self.inputs, self.labels = torch.rand(2, 8, 3, 8, 8), torch.tensor([0, 0, 0, 0, 0, 1, 1, 1])

    def __len__(self) -> int:
        return 2

    def epoch(self, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        yield from ((inputs, self.labels) for inputs in self.inputs)


def test_a_batch_in_parts_trains_the_same_without_batch_norms() -> None:
    validation = CachedFeatures(torch.rand(1, 4, 8, 8, 3).half(), torch.tensor([0, 1, 0, 1]), 8)
    weights = torch.tensor([1.0, 3.0])

    def trained(most: int) -> tuple[Tensor, float]:
        network = layers()
        course = train(network, Fixed(), validation, weights, SETTINGS, Silent(), most)
        return network.get_parameter("3.weight").detach(), course.epochs[0].train_loss

    whole, parts = trained(8), trained(3)
    torch.testing.assert_close(parts[0], whole[0])
    assert parts[1] == pytest.approx(whole[1], rel=1e-5)


def test_a_batch_in_parts_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_memory, "MOST_BYTES", 1)
    images, labels = np.zeros((8, 32, 32), np.uint8), np.array([0, 1] * 4)
    split, progress = Split(images, labels), Remembering()
    dataset = Dataset("films", ("a", "b"), split, split, split)

    train_network(find_architecture("mobilenet_v2").build(2), dataset, SETTINGS, tmp_path, progress)

    assert "so a batch is run in parts of 2 images or fewer" in progress.sentences[0]


def test_fewer_large_images_are_run_at_once() -> None:
    assert [images_at_once(side, side) for side in (32, 224, 448, 4096)] == [64, 64, 16, 1]
