"""Channels far apart are brought back to balance before int8, and those of ordinary networks stay."""

import copy

import pytest
import torch
from torch import Tensor, fx, nn

from export.quantisation.balance import balance, balancing
from export.quantisation.correction import correct
from export.quantisation.equalisation import equalise
from export.quantisation.simulation import find_ranges, quantised_tensors, simulate
from export.sources.folding import fold_batch_norms

CHANNELS = 16
LEVEL = 64


class Chain(nn.Module):
    """Convolutions with an activation between them, a residual sum, and a classifier."""

    def __init__(self, activation: type[nn.Module]) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, CHANNELS, 3)
        self.activation = activation()
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.third = nn.Conv2d(CHANNELS, CHANNELS, 1)
        self.last_activation = activation()
        self.head = nn.Linear(CHANNELS, 3)

    def forward(self, images: Tensor) -> Tensor:
        second = self.second(self.activation(self.first(images)))
        values = self.last_activation(second + self.third(second))
        logits: Tensor = self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(values, (1, 1)), 1))
        return logits


def network(activation: type[nn.Module] = nn.ReLU) -> fx.GraphModule:
    torch.manual_seed(0)
    return fold_batch_norms(Chain(activation).eval())


@pytest.fixture
def images() -> Tensor:
    torch.manual_seed(1)
    return torch.rand(16, 3, 10, 10)


@torch.no_grad()
def scaled(network: fx.GraphModule, factors: Tensor) -> fx.GraphModule:
    """Return the same function with the first layer's channels at other scales."""
    other = copy.deepcopy(network)
    first, second = other.get_submodule("first"), other.get_submodule("second")
    first.get_parameter("weight").mul_(factors.reshape(-1, 1, 1, 1))
    first.get_parameter("bias").mul_(factors)
    second.get_parameter("weight").div_(factors.reshape(1, -1, 1, 1))
    return other


def far_apart() -> Tensor:
    torch.manual_seed(2)
    return 10 ** (torch.rand(CHANNELS) * 6 - 3)


def one(channel_factor: float) -> Tensor:
    factors = torch.ones(CHANNELS)
    factors[5] = channel_factor
    return factors


@torch.inference_mode()
def sqnr_db(network: fx.GraphModule, images: Tensor) -> float:
    """Return the SQNR of int8 as it is made, simulated."""
    equal = equalise(balance(network, [images]), [images])
    ranges = find_ranges(equal, [images])
    int8 = correct(equal, images, ranges, frozenset(), LEVEL)
    values = simulate(int8, equal.graph, images, ranges, quantised_tensors(equal, frozenset()))
    exact = network(images)
    return float(10 * torch.log10(exact.square().sum() / (exact - values).square().sum()))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish])
def test_an_ordinary_network_is_the_same_object(activation: type[nn.Module], images: Tensor) -> None:
    ordinary = network(activation)

    assert balance(ordinary, [images]) is ordinary


@pytest.mark.parametrize("activation", [nn.SiLU, nn.Hardswish])
def test_channels_before_an_activation_that_scales_change_stay(
    activation: type[nn.Module], images: Tensor
) -> None:
    curved = scaled(network(activation), far_apart())

    assert balance(curved, [images]) is curved


@pytest.mark.parametrize(
    "factors",
    [far_apart(), one(1e5), one(1e-4), torch.full((CHANNELS,), 1e8), torch.full((CHANNELS,), 1e-8)],
    ids=["a million apart", "one huge", "one tiny", "all huge", "all tiny"],
)
def test_int8_is_as_good_as_without_the_scaling(factors: Tensor, images: Tensor) -> None:
    ordinary = network()

    assert sqnr_db(scaled(ordinary, factors), images) > sqnr_db(ordinary, images) - 2


def test_scales_below_relu6_are_brought_back(images: Tensor) -> None:
    ordinary = network(nn.ReLU6)

    assert sqnr_db(scaled(ordinary, far_apart().clamp(max=1)), images) > sqnr_db(ordinary, images) - 2


@pytest.mark.parametrize("activation", [nn.ReLU, nn.ReLU6])
def test_balance_changes_no_bit_of_the_float_network(activation: type[nn.Module], images: Tensor) -> None:
    other = scaled(network(activation), far_apart().clamp(max=1))

    with torch.inference_mode():
        torch.testing.assert_close(balance(other, [images])(images), other(images), rtol=0, atol=1e-6)


def test_factors_are_powers_of_two() -> None:
    torch.manual_seed(3)
    factors = balancing(far_apart(), 1 / far_apart(), clipped=False)

    assert factors is not None
    assert torch.equal(torch.log2(factors), torch.round(torch.log2(factors)))


def test_a_channel_that_relu6_clips_keeps_its_scale() -> None:
    values = torch.tensor([6.0, 5.5, 1e-3, 1e-4, 1e-3, 1e-4])
    factors = balancing(values, 1 / values, clipped=True)

    assert factors is not None
    assert factors[:2].tolist() == [1.0, 1.0]
    assert float((values * factors)[2:].max()) < 6 / 1.25


@pytest.mark.parametrize("clipped", [False, True])
def test_dead_channels_give_finite_factors(clipped: bool) -> None:
    values = torch.tensor([0.0, 1e-30, 1e-42, 1e3, 1.0, 1.0, 1e-4])
    weights = torch.tensor([0.1, 1.0, 1.0, 0.0, 0.1, 0.1, 1e3])
    factors = balancing(values, weights, clipped)

    assert factors is not None
    assert bool((torch.isfinite(factors) & (factors > 0)).all())
    assert float((values * factors)[:3].max()) < 1e-20


def test_channels_without_values_or_readers_are_left_alone() -> None:
    assert balancing(torch.zeros(4), torch.ones(4), clipped=False) is None
    assert balancing(torch.ones(4), torch.zeros(4), clipped=False) is None
    assert balancing(torch.full((4,), torch.inf), torch.ones(4), clipped=False) is None


def test_an_unread_channel_does_not_take_the_range() -> None:
    values = torch.tensor([1e6, 1.0, 2.0, 1.0])
    factors = balancing(values, torch.tensor([0.0, 0.1, 0.1, 0.1]), clipped=False)

    assert factors is not None
    assert float(values[0] * factors[0]) <= float((values * factors)[1:].max())
