"""What a network in half precision computes in float, and what it takes and gives."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import fx, nn

from bench.bundle.signature import Tensor
from export.half_network import in_half
from export.half_precision import Halving

INPUTS = [np.linspace(-1, 1, 3 * 16, dtype=np.float32).reshape(1, 3, 4, 4)]
OUTPUTS = [Tensor(name="scores", dtype="float32", shape=None)]


class Net(nn.Module):
    """A layer, something that is done with its values, and another layer that takes them."""

    def __init__(self, between: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1)
        self.between = between
        self.mask = nn.Buffer(torch.tensor([[0.0, -3e38]]).reshape(1, 1, 1, 2).repeat(1, 1, 4, 2))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        values = self.between(self.first(image))
        scores: torch.Tensor = self.second(values)
        return scores


def halves_of(network: nn.Module) -> tuple[fx.GraphModule, Halving]:
    halving = Halving()
    return in_half(fx.symbolic_trace(network.eval()), [INPUTS], OUTPUTS, halving), halving


def difference(network: nn.Module, half: nn.Module) -> float:
    image = torch.from_numpy(INPUTS[0])
    with torch.no_grad():
        return float((network(image) - half(image)).abs().max())


def large(values: torch.Tensor) -> torch.Tensor:
    return torch.relu(values * 1e6) / 1e6


def small(values: torch.Tensor) -> torch.Tensor:
    return values.mul(1e-9).mul(1e9)


def parts(values: torch.Tensor) -> torch.Tensor:
    first, second = torch.chunk(values * 1e6, 2, dim=1)
    return torch.cat([second, first], 1) / 1e6


def in_single(values: torch.Tensor) -> torch.Tensor:
    return values.float() + values.to(torch.float32)


def shaped(values: torch.Tensor) -> torch.Tensor:
    return (values * 1e6).view(values.size(0), 4, 16).transpose(1, 2).reshape(1, 4, 4, 4) / 1e6


@pytest.mark.parametrize("between", [torch.relu, large, small, parts, in_single, shaped])
def test_a_network_in_half_takes_and_gives_what_it_did(
    between: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    network = Net(between)
    half, halving = halves_of(network)

    assert difference(network, half) < 0.01
    assert half.get_parameter("second.weight").dtype is torch.float16
    assert bool(halving.unfit) == (between in (large, small, parts, shaped))


def test_a_layer_is_named_whose_values_are_too_large() -> None:
    network = Net(torch.relu)
    with torch.no_grad():
        network.first.weight.mul_(5e4)
        network.second.weight.div_(1e3)

    half, halving = halves_of(network)

    assert tuple(halving.unfit) == ("first", "second")
    assert halving.sentence.startswith("2 layers stay in fp32: values near 65504 or beyond")
    assert half.get_parameter("first_in_float.weight").dtype is torch.float32


def test_a_layer_that_runs_twice_may_be_in_half_and_in_float() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.layer = nn.Conv2d(3, 3, 1)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            scores: torch.Tensor = self.layer(self.layer(image) * 1e6) / 1e6
            return scores

    network = Twice()
    half, _ = halves_of(network)

    assert {name.split(".")[0] for name, _ in half.named_parameters()} == {"layer", "layer_in_float"}
    assert difference(network, half) < 0.01


def test_a_mask_that_half_cannot_hold_is_added_in_float() -> None:
    class Masked(Net):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            weights = torch.softmax(self.first(image) + self.mask, -1)
            scores: torch.Tensor = self.second(weights)
            return scores

    network = Masked(torch.relu)
    half, _ = halves_of(network)

    assert difference(network, half) < 0.01
