"""An architecture's row says what its network is."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from making.architecture_table import architecture_table
from making.repository import ROOT
from torch import nn

from models.architecture import IMAGENET_MEAN, Architecture, by_share
from models.architectures import ARCHITECTURES, find_architecture
from models.errors import InputError
from models.image_size import refuse_image_size
from models.network import split_network
from models.options import IMAGE_SIZES
from models.progress import Silent
from models.starting_weights import (
    BUNDLED,
    BUNDLED_FOLDER,
    StartingWeights,
    apply_weights,
    load_starting_weights,
)
from models.torchvision_import import import_torchvision_models
from models.weights_kind import WeightsKind

MOBILENET = ARCHITECTURES["mobilenet_v2"]


@pytest.fixture
def _no_random_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave weights as they are allocated, for networks that get others at once."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "uniform_", "trunc_normal_"):
        monkeypatch.setattr(nn.init, name, lambda tensor, *_args, **_kwargs: tensor)


def checkpoint_of(name: str) -> nn.Module:
    """torchvision's network with weights and statistics that let every layer matter."""
    network: nn.Module = import_torchvision_models().get_model(name, weights=None, num_classes=3)
    random = torch.Generator().manual_seed(0)
    for value in network.state_dict().values():
        if value.dim() > 1:
            reach = (6 / value[0].numel()) ** 0.5
            value.uniform_(-reach, reach, generator=random)
        elif value.is_floating_point():
            value.uniform_(0.5, 1.0, generator=random)
    return network.eval()


def weights_of(state: dict[str, torch.Tensor], row: Architecture, path: Path) -> StartingWeights:
    torch.save(state, path)
    return load_starting_weights(str(path), row, Silent())


@pytest.mark.usefixtures("_no_random_weights")
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=name, marks=[pytest.mark.slow] * (name == "vgg16"))
        for name, row in ARCHITECTURES.items()
    ],
)
def test_a_checkpoint_of_torchvision_gives_torchvisions_own_outputs(
    row: Architecture, tmp_path: Path
) -> None:
    reference, network = checkpoint_of(row.name), row.build(3).eval()
    weights = weights_of(reference.state_dict(), row, tmp_path / "w.pth")
    images = torch.rand(2, 3, 48, 48, generator=torch.Generator().manual_seed(0))

    assert apply_weights(network, weights, row)
    assert weights.notes == ()
    with torch.inference_mode():
        logits, expected = network(images), reference(network.normalise(images))
    assert not expected[0].equal(expected[1])
    torch.testing.assert_close(logits, expected, rtol=1e-5, atol=0)
    parts = split_network(network, row.unfreeze[WeightsKind.IMAGENET])
    assert 0 < parts.frozen_blocks < row.blocks
    with torch.inference_mode():
        torch.testing.assert_close(parts.trained(parts.frozen(images)), logits, rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", ["squeezenet1_1", "shufflenet_v2_x1_0"])
def test_the_weights_of_a_run_folder_are_starting_weights_too(name: str, tmp_path: Path) -> None:
    row = ARCHITECTURES[name]
    trained, network = row.build(3), row.build(3)
    weights = weights_of(trained.state_dict(), row, tmp_path / "model.pth")

    assert apply_weights(network, weights, row)
    assert all(value.equal(trained.state_dict()[key]) for key, value in network.state_dict().items())


def test_the_older_names_in_torchvisions_own_file_of_a_densenet_are_known(tmp_path: Path) -> None:
    row = ARCHITECTURES["densenet121"]
    network, trained = row.build(3), row.build(3).state_dict()
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", key): value
        for key, value in trained.items()
    }

    assert apply_weights(network, weights_of(old, row, tmp_path / "w.pth"), row)
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    assert all(value.equal(trained[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "squeezenet1_1"])
def test_of_a_checkpoint_for_other_classes_all_but_the_last_layer_is_taken(name: str, tmp_path: Path) -> None:
    row = ARCHITECTURES[name]
    trained, network = row.build(3).state_dict(), row.build(2)

    assert not apply_weights(network, weights_of(trained, row, tmp_path / "w.pth"), row)
    other = {key for key, value in network.state_dict().items() if not value.equal(trained[key])}
    assert other == {f"{row.head}.weight", f"{row.head}.bias"}


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=list(ARCHITECTURES))
def test_torchvision_has_the_imagenet_weights_that_a_row_names(row: Architecture) -> None:
    enum, _, member = (row.imagenet_weights or "").partition(".")

    weights = getattr(import_torchvision_models(), enum)[member]

    assert weights is import_torchvision_models().get_model_weights(row.name).IMAGENET1K_V1
    assert weights.meta["num_params"] > 1_000_000


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=list(ARCHITECTURES))
def test_a_row_names_layers_that_its_network_has(row: Architecture) -> None:
    with torch.device("meta"):
        network = row.build(3)

    assert ARCHITECTURES[row.name] is row
    assert network.get_submodule(row.head) is not None
    assert row.cam is not None
    assert network.get_submodule(row.cam) is not None
    assert network.state_dict()[f"{row.head}.weight"].shape[0] == 3
    assert row.mean == IMAGENET_MEAN


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


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if name != "mobilenet_v2"])
def test_bundled_weights_are_of_mobilenet_v2_alone(name: str) -> None:
    with pytest.raises(
        InputError,
        match=f"comes with weights of mobilenet_v2 alone, and has none of {name}; give "
        "--weights imagenet, none or a FILE",
    ):
        load_starting_weights("bundled", ARCHITECTURES[name], Silent())


def test_the_bundled_weights_that_are_said_to_be_there_are_there() -> None:
    assert {file.name for file in BUNDLED_FOLDER.glob("*.safetensors")} == {
        f"{name}_synthetic.safetensors" for name in BUNDLED
    }


def test_the_page_of_finetune_has_the_table_of_the_rows() -> None:
    page = (ROOT / "docs" / "commands" / "finetune.md").read_text()

    assert architecture_table() in page, "run: PYTHONPATH=tests python -m making.architecture_table"


def test_a_name_that_another_command_gives_a_library_is_an_error_that_suggests_the_row() -> None:
    with pytest.raises(
        InputError, match=r"did you mean 'resnet18'\? .* and timm/NAME for a classifier of timm"
    ):
        find_architecture("torchvision/ResNet18")


@pytest.mark.parametrize("row", ARCHITECTURES.values(), ids=list(ARCHITECTURES))
def test_every_row_takes_the_smallest_image_that_there_is(row: Architecture) -> None:
    refuse_image_size(row, IMAGE_SIZES[0])


def test_a_size_that_a_network_cannot_take_is_said_in_a_sentence() -> None:
    pools = nn.Sequential(*(nn.MaxPool2d(2) for _ in range(6)))
    row = replace(
        MOBILENET,
        name="small",
        layers=lambda classes: (pools, nn.Linear(3, classes)),
        blocks=6,
        unfreeze=by_share(6),
    )

    refuse_image_size(row, 64)
    with pytest.raises(
        InputError, match="--image-size 63: torchvision's small cannot classify images of 63 by 63"
    ):
        refuse_image_size(row, 63)


@pytest.mark.parametrize(
    ("name", "unfreeze", "trained"),
    [
        ("mobilenet_v3_small", 1, {"features.12", "classifier.0", "classifier.3"}),
        ("efficientnet_b0", 1, {"features.8", "classifier.1"}),
        ("shufflenet_v2_x1_0", 2, {"features.16", "features.17", "classifier"}),
        ("squeezenet1_1", 2, {"features.11", "features.12", "classifier.1"}),
        ("resnet18", 1, {"features.8", "classifier"}),
        ("densenet121", 1, {"features.denseblock4", "features.norm5", "classifier"}),
        ("vgg16", 1, {"features.28", "classifier.0", "classifier.3", "classifier.6"}),
        ("vgg16", 0, {"classifier.0", "classifier.3", "classifier.6"}),
    ],
)
def test_the_last_blocks_and_the_classifier_are_trained(name: str, unfreeze: int, trained: set[str]) -> None:
    network = ARCHITECTURES[name].outline()

    split_network(network, unfreeze)

    names = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert all(name.startswith(tuple(f"{part}." for part in trained)) for name in names)
    assert all(any(name.startswith(f"{part}.") for name in names) for part in trained)
