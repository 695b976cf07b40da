"""How many samples of a network fit in memory at once."""

import pytest
import torch
from torch import Tensor, fx, nn

from export.quantisation import memory
from export.quantisation.memory import Footprint, footprint_of

MIB = 1 << 20


class Chain(nn.Module):
    """Three layers, and a value that is needed until the end."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 1)

    def forward(self, images: Tensor) -> Tensor:
        first = self.first(images)
        result: Tensor = self.second(torch.relu(first)) + first
        return result


def test_a_value_counts_as_long_as_a_node_needs_it() -> None:
    network, sample = fx.symbolic_trace(Chain()), torch.rand(1, 3, 4, 4)
    image, value = 3 * 16 * 4, 8 * 16 * 4
    footprint = footprint_of(network, sample)

    # The first layer's output, what the second layer reads, and what it gives.
    assert footprint.alive == 3 * value
    # The output node has the value of the sum again.
    assert footprint.whole == image + 5 * value


def test_lists_of_tensors_count_with_all_they_hold() -> None:
    class Halves(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            left, right = torch.chunk(images, 2, dim=1)
            return left * right

    footprint = footprint_of(fx.symbolic_trace(Halves()), torch.rand(1, 4, 2, 2))

    assert footprint.alive >= 2 * 4 * 4 * 4


@pytest.mark.parametrize("each", [1, 10 * MIB, 300 * MIB, 10_000 * MIB])
def test_a_heavy_network_runs_fewer_samples_at_once(each: int) -> None:
    heavy = Footprint(alive=each, whole=each)
    counts = [
        (heavy.at_once(64), memory._MOST_BYTES_ALIVE, each),
        (heavy.stored_at_once(64), memory._MOST_BYTES_STORED, each),
        (heavy.trained_at_once(64), memory._MOST_BYTES_TRAINED, 2 * each),
    ]

    for count, most, needed in counts:
        assert 1 <= count <= 64
        assert count == 1 or count * needed <= most
        assert count == 64 or (count + 1) * needed > most


@pytest.mark.parametrize("each", [1, 300 * MIB, 10_000 * MIB])
def test_a_network_with_a_fixed_batch_runs_multiples_of_it(each: int) -> None:
    footprint = Footprint(alive=each, whole=each, samples=3)

    for at_once in (footprint.at_once, footprint.stored_at_once, footprint.trained_at_once):
        assert at_once(32) % 3 == 0
        assert 3 <= at_once(32) <= 30
