"""An architecture's row says what its network is."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from models.architectures import ARCHITECTURES, Architecture
from models.errors import InputError
from models.network import split_network
from models.progress import Silent
from models.starting_weights import StartingWeights, apply_weights, load_starting_weights
from models.torchvision_import import import_torchvision_models
from models.weights_kind import WeightsKind

MOBILENET = ARCHITECTURES["mobilenet_v2"]


def resnet_18_layers(classes: int) -> tuple[nn.Sequential, nn.Module]:
    body = import_torchvision_models().resnet18(weights=None, num_classes=classes)
    stem = nn.Sequential(body.conv1, body.bn1, body.relu, body.maxpool)
    return nn.Sequential(stem, *body.layer1, *body.layer2, *body.layer3, *body.layer4), body.fc


RESNET_18 = Architecture(
    name="resnet18",
    layers=resnet_18_layers,
    blocks=9,
    unfreeze=dict.fromkeys(WeightsKind, 9),
    head="classifier",
    cam="features.8",
    key_map=(
        ("conv1.", "features.0.0."),
        ("bn1.", "features.0.1."),
        *((f"layer{1 + part // 2}.{part % 2}.", f"features.{1 + part}.") for part in range(8)),
        ("fc.", "classifier."),
    ),
)


def test_a_network_that_torchvision_writes_otherwise_is_a_row_with_a_key_map() -> None:
    reference = import_torchvision_models().resnet18(num_classes=3).eval()
    weights = StartingWeights(WeightsKind.FILE, "resnet18.pth", None, dict(reference.state_dict()))
    network = RESNET_18.build(3).eval()
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    assert apply_weights(network, weights, RESNET_18)
    with torch.inference_mode():
        torch.testing.assert_close(network(images), reference(network.normalise(images)))


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=list(ARCHITECTURES))
def test_a_row_names_layers_that_its_network_has(row: Architecture) -> None:
    network = row.build(3)

    assert ARCHITECTURES[row.name] is row
    assert len(network.features) == row.blocks
    assert network.get_submodule(row.head) is not None
    assert network.get_submodule(row.cam) is not None
    assert network.state_dict()[f"{row.head}.weight"].shape[0] == 3
    assert network.normalise.mean.flatten().tolist() == pytest.approx(row.mean)


@pytest.mark.parametrize(
    ("unfreeze", "words"),
    [
        (
            dict.fromkeys(WeightsKind, 20),
            "unfreeze is 20 for the weights 'imagenet'; it must be from 0 to 19",
        ),
        (dict.fromkeys(WeightsKind, -1), "unfreeze is -1"),
        ({WeightsKind.NONE: 19}, "unfreeze has no default for the weights 'imagenet'"),
    ],
)
def test_a_default_that_the_network_cannot_have_is_refused(
    unfreeze: dict[WeightsKind, int], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        replace(MOBILENET, unfreeze=unfreeze)


def test_a_row_that_counts_other_blocks_than_its_builder_makes_is_refused() -> None:
    with pytest.raises(ValueError, match="made 19 blocks, and its row says 30"):
        replace(MOBILENET, blocks=30).build(2)


def test_more_blocks_than_there_are_cannot_be_trained() -> None:
    with pytest.raises(ValueError, match="unfreeze is 20; it must be from 0 to 19"):
        split_network(MOBILENET.build(2), 20)


def test_a_checkpoints_keys_become_the_networks_own() -> None:
    mapped = replace(MOBILENET, key_map=(("fc.", "classifier.1."), ("body.", "features.")))
    source = MOBILENET.build(2)
    tensors = {
        name.replace("classifier.1.", "fc.").replace("features.", "body."): value
        for name, value in source.state_dict().items()
    }
    network = mapped.build(2)

    assert apply_weights(network, StartingWeights(WeightsKind.FILE, "resnet.pth", None, tensors), mapped)
    torch.testing.assert_close(
        network.get_submodule("classifier.1").weight, source.get_submodule("classifier.1").weight
    )


@pytest.mark.parametrize("weights", ["imagenet", "bundled"])
def test_weights_that_an_architecture_has_not_are_refused(weights: str) -> None:
    bare = replace(MOBILENET, name="bare", imagenet_weights=None)

    with pytest.raises(InputError, match=rf"--weights {weights}: .*bare.*give --weights none or a FILE"):
        load_starting_weights(weights, bare, Silent())
