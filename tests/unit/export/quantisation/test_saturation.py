"""Which values of a tensor the functions that read it distinguish."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from export.quantisation.saturation import distinguished
from export.quantisation.simulation import Range, fake_quantise, find_ranges, weighted


class Read(nn.Module):
    """A convolution whose values some functions read."""

    def __init__(self, *readers: nn.Module) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)
        self.readers = nn.ModuleList(readers)

    def forward(self, images: Tensor) -> list[Tensor]:
        value = self.layer(images)
        return [reader(value) for reader in self.readers]


def bounds_of(network: nn.Module) -> tuple[float, float]:
    traced = fx.symbolic_trace(network)
    return distinguished(traced, weighted(traced)["layer"])


@pytest.mark.parametrize(
    "function",
    [nn.Hardswish(), nn.Hardsigmoid(), nn.SiLU(), nn.Sigmoid(), nn.GELU(), nn.ReLU(), nn.ReLU6()],
    ids=lambda function: type(function).__name__,
)
def test_a_function_gives_nearly_the_same_for_values_that_are_limited_to_its_bounds(
    function: nn.Module,
) -> None:
    values = torch.linspace(-40, 40, 8001)
    low, high = bounds_of(Read(function))

    assert low > -40
    assert float((function(values.clamp(low, high)) - function(values)).abs().max()) < 0.003


def test_what_one_of_several_functions_distinguishes_counts() -> None:
    assert bounds_of(Read(nn.Hardsigmoid(), nn.ReLU6())) == (-3.0, 6.0)
    assert bounds_of(Read(nn.Hardsigmoid(), nn.Conv2d(4, 4, 1))) == (-math.inf, math.inf)
    assert bounds_of(Read()) == (-math.inf, math.inf)


class Functional(nn.Module):
    """A convolution whose values a function reads, not a module."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        return F.hardswish(self.layer(images))


def test_the_simulated_range_of_a_layer_ends_where_hard_swish_is_zero() -> None:
    torch.manual_seed(0)
    network = fx.symbolic_trace(Functional().eval()).requires_grad_(False)
    network.get_parameter("layer.bias").copy_(torch.tensor([-40.0, 0.0, 1.0, 2.0]))
    images = torch.rand(4, 3, 6, 6)
    value = network.get_submodule("layer")(images)

    range_ = find_ranges(network, [images])["layer"]

    assert range_ == Range(-3.0, float(value.max()))
    rounded = F.hardswish(fake_quantise(value, range_))
    assert float((rounded - F.hardswish(value)).abs().max()) < 0.02


def test_a_range_beyond_all_bounds_is_the_nearest_bound() -> None:
    assert Range(-9.0, -5.0).within((-3.0, math.inf)) == Range(-3.0, -3.0)
    assert Range(7.0, 9.0).within((-3.0, 3.0)) == Range(3.0, 3.0)
    assert Range(-1.0, 2.0).within((-3.0, 3.0)) == Range(-1.0, 2.0)
