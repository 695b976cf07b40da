"""int8 simulated on real, small torch networks: what is rounded, equalised, corrected, refined."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, fx, nn

from export.quantisation import qat
from export.quantisation.correction import correct, find_correction
from export.quantisation.equalisation import equalise
from export.quantisation.qat import train_quantised
from export.quantisation.rounding import on_grid, rounded
from export.quantisation.sensitivity import Sensitivity
from export.quantisation.sensitivity_analysis import analyse_sensitivity
from export.quantisation.simulation import (
    Range,
    fake_quantise,
    find_ranges,
    is_sum,
    output_of,
    quantised_tensors,
    simulate,
    sums_in_int8,
    weighted,
)
from export.sources.folding import fold_batch_norms
from export.sources.layered import layered_network

LEVEL = 64


class Small(nn.Module):
    """A stem, a residual block with a depthwise convolution, a classifier: what a MobileNetV2 is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.stem_activation = nn.ReLU6(inplace=True)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.activation = nn.ReLU6(inplace=True)
        self.projection = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 2)

    def forward(self, images: Tensor) -> Tensor:
        stem = self.stem_activation(self.stem(images))
        block = stem + self.projection(self.activation(self.depthwise(stem)))
        logits: Tensor = self.head(torch.flatten(nn.functional.adaptive_avg_pool2d(block, (1, 1)), 1))
        return logits


@pytest.fixture
def network() -> fx.GraphModule:
    torch.manual_seed(0)
    return fold_batch_norms(Small().eval())


@pytest.fixture
def images() -> Tensor:
    torch.manual_seed(1)
    return torch.rand(16, 3, 12, 12)


def simulated(network: fx.GraphModule, graph: fx.Graph, images: Tensor, ranges: dict[str, Range]) -> Tensor:
    tensors = {node for node in graph.nodes if node.name in ranges}
    return simulate(network, graph, images, ranges, tensors)


def noise(network: fx.GraphModule, changed: fx.GraphModule, images: Tensor) -> float:
    with torch.inference_mode():
        ranges = find_ranges(changed, [images])
        logits = simulated(changed, changed.graph, images, ranges)
        return float((logits - network(images)).square().mean())


def unevenness(network: fx.GraphModule, images: Tensor) -> float:
    """Return the largest ÷ the smallest range of a channel after the depthwise convolution."""
    run = fx.Interpreter(network, garbage_collect_values=False)
    with torch.inference_mode():
        run.run(images)
    value = next(value for node, value in run.env.items() if node.name == "activation")
    largest = value.amax(dim=(0, 2, 3))
    return float(largest.max() / largest[largest > 0].min())


def test_weights_on_the_grid_are_not_rounded_again() -> None:
    weights = torch.randn(4, 3, 3, 3) * torch.tensor([1e-3, 1.0, 5.0, 0.0]).reshape(4, 1, 1, 1)
    once = on_grid(weights, LEVEL)

    torch.testing.assert_close(on_grid(once, LEVEL), once)
    for channel in once:
        assert len(channel.unique()) <= 2 * LEVEL + 1


def test_zero_weights_and_inputs_without_signal_can_be_rounded() -> None:
    layer = nn.Conv2d(4, 2, 1)
    layer.weight.data[0] = 0.0

    assert torch.equal(rounded(layer, torch.zeros(2, 4, 3, 3), LEVEL)[0], torch.zeros(4, 1, 1))
    assert rounded(layer, torch.full((2, 4, 3, 3), 1e-20), LEVEL).isfinite().all()


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.Conv2d(16, 8, 1), (8, 16, 6, 6)),
        (lambda: nn.Conv2d(3, 8, 3, stride=2, padding=1), (8, 3, 9, 9)),
        (lambda: nn.Conv2d(16, 16, 3, padding=1, groups=16), (8, 16, 6, 6)),
        (lambda: nn.Conv2d(3, 8, 3, padding="same"), (8, 3, 9, 9)),
        (lambda: nn.Conv2d(32, 8, 1, groups=2), (8, 32, 6, 6)),
        (lambda: nn.Conv2d(16, 32, 3, padding=1, groups=4), (8, 16, 6, 6)),
        (lambda: nn.Linear(32, 8), (64, 32)),
        # The inputs of such a layer are divided: all of them together would take gigabytes.
        (lambda: nn.Linear(2400, 4), (64, 2400)),
    ],
    ids=["pointwise", "strided", "depthwise", "same padding", "grouped", "grouped 3x3", "linear", "wide"],
)
def test_gptq_rounding_changes_a_layers_output_less(
    make: Callable[[], nn.Module], shape: tuple[int, ...]
) -> None:
    torch.manual_seed(2)
    layer = make()
    # Inputs are correlated, as channels of a network are: one can compensate for an error in another.
    inputs = torch.rand(shape) + 2 * torch.rand(shape[0], 1, *shape[2:])
    errors = []
    for weight in (rounded(layer, inputs, 8), on_grid(layer.get_parameter("weight"), 8)):
        changed = copy.deepcopy(layer)
        changed.get_parameter("weight").data.copy_(weight)
        with torch.no_grad():
            errors.append(float((changed(inputs) - layer(inputs)).square().mean()))
        torch.testing.assert_close(on_grid(weight, 8), weight)

    assert errors[0] < errors[1]


def test_zero_has_a_level_of_its_own() -> None:
    value = torch.tensor([0.0, 1.0, 3.0])

    assert fake_quantise(value, Range(1.0, 3.0))[0] == 0
    assert (fake_quantise(value, Range(-1.0, 3.0)) - value).abs().max() <= 4 / 255


def test_a_correction_finds_the_scale_of_a_channel_despite_noise() -> None:
    torch.manual_seed(0)
    reference = torch.randn(64, 2, 8, 8) * torch.tensor([1.0, 3.0]).reshape(1, 2, 1, 1) + 5
    value = reference * 0.9 - 1 + 0.3 * torch.randn_like(reference)
    correction = find_correction(reference, value, 1)

    torch.testing.assert_close(correction.gain, torch.full((2,), 1 / 0.9), atol=0.02, rtol=0)
    torch.testing.assert_close(correction.applied(value).mean(dim=(0, 2, 3)), reference.mean(dim=(0, 2, 3)))


def test_int8_rounds_the_inputs_and_outputs_of_layers_after_their_activation(network: fx.GraphModule) -> None:
    everything = {node.name for node in quantised_tensors(network, frozenset())}
    partly = {node.name for node in quantised_tensors(network, frozenset({"stem", "depthwise"}))}
    layers = weighted(network)

    assert list(layers) == ["stem", "depthwise", "projection", "head"]
    assert output_of(network, layers["stem"]).name == "stem_activation"
    assert "stem" not in everything
    assert everything - partly == {"images"}


class Tokens(nn.Module):
    """Patches, constant positions, a linear layer and its sum with them: what a transformer is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        self.position = nn.Parameter(torch.rand(1, 8, 3, 3))
        self.linear = nn.Linear(3, 3)
        self.head = nn.Linear(72, 2)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images) + self.position
        logits: Tensor = self.head(torch.flatten(tokens + self.linear(tokens), 1))
        return logits


def test_sums_of_a_transformer_are_not_rounded(network: fx.GraphModule, images: Tensor) -> None:
    tokens = layered_network(torch.export.export(Tokens().eval(), (images[:1],)))
    rounded_tokens = quantised_tensors(tokens, frozenset())

    assert [node.name for node in tokens.graph.nodes if is_sum(node)] == ["add", "add_1"]
    assert sums_in_int8(tokens) == []
    assert "add_1" not in {node.name for node in rounded_tokens}
    assert len(sums_in_int8(network)) == 1


def test_equalisation_changes_no_logit_and_evens_the_channels(
    network: fx.GraphModule, images: Tensor
) -> None:
    with torch.no_grad():
        network.get_parameter("depthwise.weight").mul_(
            torch.tensor([0.01, 1, 1, 1, 1, 1, 1, 0.01]).reshape(8, 1, 1, 1)
        )
        network.get_parameter("depthwise.bias").fill_(0.01)
    equal = equalise(network, [images])

    with torch.inference_mode():
        torch.testing.assert_close(equal(images), network(images), atol=1e-5, rtol=1e-4)
    assert unevenness(equal, images) < unevenness(network, images) / 2


def test_equalisation_clips_no_value_that_relu6_did_not(network: fx.GraphModule, images: Tensor) -> None:
    with torch.no_grad():
        network.get_parameter("stem.bias").copy_(torch.linspace(-1, 8, 8))
    equal = equalise(network, [images])

    with torch.inference_mode():
        torch.testing.assert_close(equal(images), network(images), atol=1e-4, rtol=1e-4)


def test_a_channel_that_never_varies_is_only_shifted() -> None:
    correction = find_correction(torch.full((4, 1, 2, 2), 3.0), torch.full((4, 1, 2, 2), 1.0), 1)

    assert (float(correction.gain), float(correction.shift)) == (1.0, 2.0)


def test_correction_restores_the_means_of_the_logits(network: fx.GraphModule, images: Tensor) -> None:
    with torch.no_grad():
        # One large weight in a channel leaves few levels for the others.
        network.get_parameter("projection.weight")[:, 0] = 40.0
    ranges = find_ranges(network, [images])
    corrected = correct(network, images, ranges, frozenset(), LEVEL)

    with torch.inference_mode():
        reference = network(images).mean(dim=0)
        means = simulated(corrected, corrected.graph, images, ranges).mean(dim=0)
    step = (ranges["head"].high - min(0.0, ranges["head"].low)) / 255
    assert (means - reference).abs().max() <= step


def test_an_excluded_module_keeps_its_weights(network: fx.GraphModule, images: Tensor) -> None:
    ranges = find_ranges(network, [images])
    corrected = correct(network, images, ranges, frozenset({"stem"}), LEVEL)

    torch.testing.assert_close(corrected.get_parameter("stem.weight"), network.get_parameter("stem.weight"))
    assert not torch.equal(
        corrected.get_parameter("projection.weight"), network.get_parameter("projection.weight")
    )


def test_the_layer_that_rounding_disturbs_most_is_the_most_sensitive(
    network: fx.GraphModule, images: Tensor
) -> None:
    with torch.no_grad():
        network.get_parameter("projection.weight")[:, 0] = 400.0
        network.get_parameter("depthwise.weight")[0] = 0.0
        network.get_parameter("depthwise.bias")[0] = -1.0
    steps: list[tuple[int, int]] = []
    sensitivity = analyse_sensitivity(
        network, images, find_ranges(network, [images]), LEVEL, lambda *step: steps.append(step)
    )

    assert max(sensitivity.layers, key=lambda layer: layer.noise).name == "projection"
    assert sum(layer.share_of_macs for layer in sensitivity.layers) == pytest.approx(1)
    assert sum(layer.share_of_weights for layer in sensitivity.layers) == pytest.approx(1)
    assert [layer.name for layer in sensitivity.layers if not layer.is_convolution] == ["head"]
    assert steps == [(number, len(steps)) for number in range(1, len(steps) + 1)]


def test_a_tensor_names_the_layers_around_it(network: fx.GraphModule, images: Tensor) -> None:
    ranges = find_ranges(network, [images])
    sensitivity = analyse_sensitivity(network, images, ranges, LEVEL, lambda done, total: None)
    around = {tensor.layers: tensor.summed for tensor in sensitivity.activations}

    assert around[("depthwise", "projection")] is False
    assert around[("stem", "depthwise")] is True
    assert around[("stem",)] is False


def test_what_all_values_share_is_a_signal_of_labels_and_none_of_classes(
    network: fx.GraphModule, images: Tensor
) -> None:
    with torch.no_grad():
        for parameter in (network.get_parameter("head.weight"), network.get_parameter("head.bias")):
            parameter.copy_(parameter[:1].expand_as(parameter).clone())
    ranges = find_ranges(network, [images])

    def analysed(are_classes: bool) -> Sensitivity:
        return analyse_sensitivity(
            network, images, ranges, LEVEL, lambda done, total: None, are_classes=are_classes
        )

    assert max(layer.noise for layer in analysed(are_classes=False).layers) > 0
    with pytest.raises(ValueError, match="prefers no class"):
        analysed(are_classes=True)


def test_trained_weights_lie_on_the_grid_and_give_less_noise(network: fx.GraphModule, images: Tensor) -> None:
    ranges = find_ranges(network, [images])
    start = correct(network, images, ranges, frozenset(), LEVEL)
    with torch.no_grad():
        start.get_parameter("head.bias").add_(torch.tensor([0.003, -0.003]))
    steps: list[tuple[int, int]] = []
    trained = train_quantised(
        network, start, images, ranges, frozenset(), LEVEL, lambda *step: steps.append(step)
    )

    weight = trained.get_parameter("projection.weight")
    torch.testing.assert_close(on_grid(weight, LEVEL), weight)
    assert noise(network, trained, images) < noise(network, start, images)
    assert steps[-1][0] == steps[-1][1]


def test_a_batch_that_is_trained_on_in_parts_gives_the_same_weights(
    network: fx.GraphModule, images: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qat, "_STEPS", 2)
    monkeypatch.setattr(qat, "_LEARNING_RATE", 1e-3)
    ranges = find_ranges(network, [images])
    start = correct(network, images, ranges, frozenset(), LEVEL)

    def trained(at_once: int) -> Tensor:
        student = train_quantised(
            network, start, images, ranges, frozenset(), LEVEL, lambda *_: None, at_once
        )
        return student.get_parameter("head.weight")

    torch.testing.assert_close(trained(3), trained(16))
    assert not torch.equal(trained(16), start.get_parameter("head.weight"))
