"""The network of layers that is made of any program that torch exports."""

import operator
import warnings
from collections.abc import Callable
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.utils._pytree import tree_leaves

from export.networks import with_judged_output
from export.quantisation.simulation import weighted
from export.sources.any_batch import ONE_SAMPLE
from export.sources.layered import layered_network
from export.sources.source import NotLayeredError
from export.sources.torch_network import exported


def with_statistics(network: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.5, 1.5)
    return network.eval().requires_grad_(False)


class Residual(nn.Module):
    """Convolutions, each with a batch norm behind it but one, and a residual sum in place."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.depthwise = nn.Conv2d(8, 8, 3, padding="same", groups=8)
        self.depthwise_norm = nn.BatchNorm2d(8)
        self.before = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 2, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        value = F.relu6(self.norm(self.stem(image)), inplace=True)
        other = self.depthwise_norm(self.depthwise(value))
        other += value
        value = F.dropout(F.relu_(self.before(other)), training=self.training)
        return self.head(torch.flatten(F.adaptive_avg_pool2d(value, 1), 1))  # type: ignore[no-any-return]


class Tokens(nn.Module):
    """Patches with a class token, and a linear layer that runs on each of them, twice."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.token = nn.Parameter(torch.rand(1, 1, 8))
        self.mix = nn.Linear(8, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, image: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        patches = self.patches(image).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(image), -1, -1), patches], dim=1)
        tokens = F.layer_norm(tokens + self.mix(F.gelu(self.mix(tokens))), [8])
        heads = tokens.reshape(len(image), -1, 2, 4).transpose(1, 2)
        attended = F.scaled_dot_product_attention(heads, heads, heads)
        tokens = attended.transpose(1, 2).reshape(len(image), -1, 8)
        return self.head(tokens[:, 0]), {"tokens": tokens}


class Standardised(nn.Module):
    """A convolution whose weights are standardised in every run, and a grouped one."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1, groups=2)

    def forward(self, image: Tensor) -> Tensor:
        weight = self.first.weight
        weight = (weight - weight.mean((1, 2, 3), keepdim=True)) * 2
        return self.second(F.silu(F.conv2d(image, weight))).mean((2, 3))  # type: ignore[no-any-return]


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "residual": (Residual, (1, 10, 14)),
    "tokens": (Tokens, (3, 8, 12)),
    "standardised": (Standardised, (3, 6, 5)),
}


@cache
def made(name: str) -> tuple[nn.Module, ExportedProgram, fx.GraphModule]:
    make, shape = NETWORKS[name]
    network = with_statistics(make())
    program = exported(network, (torch.zeros(1, *shape),), {})
    return network, program, layered_network(program)


def layers_of(name: str) -> fx.GraphModule:
    return made(name)[2]


@pytest.mark.parametrize("name", list(NETWORKS))
def test_any_number_of_images_gives_the_outputs_of_the_source(name: str) -> None:
    network, _, layers = made(name)
    images = torch.rand(5, *NETWORKS[name][1])

    for value, expected in zip(tree_leaves(layers(images)), tree_leaves(network(images)), strict=True):
        assert torch.allclose(value, expected, rtol=1e-4, atol=1e-5)


def test_layers_are_modules_with_biases_named_after_their_weights() -> None:
    network = layers_of("residual")

    assert list(weighted(network)) == ["stem", "depthwise", "head"]
    for name in weighted(network):
        assert network.get_parameter(f"{name}.bias") is not None


def test_batch_norms_are_folded_into_the_convolutions_before_them_alone() -> None:
    network = layers_of("residual")
    targets = [node.target for node in network.graph.nodes]

    assert targets.count(F.batch_norm) == 1
    assert {"before.weight", "before.running_var"} <= network.state_dict().keys()


def test_activations_and_sums_are_those_that_quantisers_know_and_dropout_is_gone() -> None:
    network = layers_of("residual")
    kinds = [type(module) for module in network.modules()]
    targets = [node.target for node in network.graph.nodes]

    assert kinds.count(nn.ReLU6) == 1
    assert kinds.count(nn.ReLU) == 1
    assert operator.add in targets
    assert not any("dropout" in str(target) for target in targets)


def test_a_layer_that_runs_twice_becomes_two_modules() -> None:
    assert list(weighted(layers_of("tokens"))) == ["patches", "mix", "mix_2", "head"]


def test_weights_that_are_computed_are_those_of_a_layer() -> None:
    network = layers_of("standardised")

    assert list(weighted(network)) == ["first", "second"]
    assert float(network.get_parameter("first.weight").mean().abs()) < 1e-6


def test_a_program_of_core_operators_has_the_same_layers() -> None:
    network, program, _ = made("residual")
    images = torch.rand(2, 1, 10, 14)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates its own internals
        core = program.run_decompositions()
    layers = layered_network(core)

    assert list(weighted(layers)) == ["stem", "depthwise", "head"]
    assert torch.allclose(layers(images), network(images), rtol=1e-4, atol=1e-5)


class SampleLast(nn.Module):
    """A reshape that does not have the samples first."""

    def forward(self, image: Tensor) -> Tensor:
        return image.permute(1, 0, 2, 3).reshape(12, len(image)).t()


def test_a_network_that_takes_one_sample_only_is_marked_as_such() -> None:
    network = layered_network(exported(SampleLast().eval(), (torch.zeros(1, 3, 2, 2),), {}))

    assert network.meta[ONE_SAMPLE]
    with pytest.raises(NotLayeredError, match="takes only one"):
        with_judged_output(network, 0)
