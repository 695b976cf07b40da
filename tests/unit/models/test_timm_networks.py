"""Networks of timm have no row: what edgefit needs to know of one, timm says."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from making.films import dataset_of_films
from safetensors.torch import save_file
from torch import Tensor, nn

from models.architecture import Architecture
from models.architectures import find_architecture
from models.errors import InputError
from models.image_size import refuse_image_size
from models.network import split_network
from models.progress import Silent
from models.starting_weights import apply_weights, load_starting_weights
from models.timm_networks import _blocks_of, _head_of
from models.torchvision_import import import_torchvision_models
from models.training.run import train_network
from models.training.settings import TrainingSettings
from models.weights_kind import WeightsKind

import_torchvision_models()
timm = pytest.importorskip("timm")
huggingface_hub = pytest.importorskip("huggingface_hub")

NAME = "timm/test_efficientnet"
SIDE = 32
SETTINGS = TrainingSettings(epochs=1, unfreeze=1, seed=0, flip=True, batch_size=8, views=2)


@pytest.fixture(scope="module")
def row() -> Architecture:
    return find_architecture(NAME, SIDE)


class _Plain(nn.Module):
    """A network as timm's are, but without groups."""

    def __init__(self, head: object) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 2)
        self.pretrained_cfg = {"classifier": head}


def changed(network: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {name for name, value in network.state_dict().items() if not value.equal(before[name])}


def test_a_checkpoint_of_timm_gives_timms_own_outputs(row: Architecture, tmp_path: Path) -> None:
    reference = timm.create_model("test_efficientnet", num_classes=3).eval()
    torch.save(reference.state_dict(), tmp_path / "w.pth")
    network = row.build(3).eval()
    weights = load_starting_weights(str(tmp_path / "w.pth"), row, Silent())
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))

    assert apply_weights(network, weights, row)
    assert weights.notes == ()
    torch.testing.assert_close(network(images), reference(network.normalise(images)))


def test_of_timms_checkpoint_for_other_classes_or_of_a_run_folder_the_features_are_taken(
    row: Architecture, tmp_path: Path
) -> None:
    trained, network = row.build(3), row.build(2)
    state = trained.state_dict()
    torch.save(state, tmp_path / "model.pth")

    assert not apply_weights(network, load_starting_weights(str(tmp_path / "model.pth"), row, Silent()), row)
    assert changed(network, state) == {f"{row.head}.weight", f"{row.head}.bias"}


def test_a_head_of_another_name_in_timms_checkpoint_is_not_used(row: Architecture, tmp_path: Path) -> None:
    state = timm.create_model("test_efficientnet", num_classes=2).state_dict()
    torch.save(
        {name.replace("classifier.", "head.fc."): value for name, value in state.items()}, tmp_path / "w.pth"
    )

    weights = load_starting_weights(str(tmp_path / "w.pth"), row, Silent())

    assert not apply_weights(row.build(2), weights, row)
    assert any("'head.fc.weight'" in note and "not used" in note for note in weights.notes)


def test_a_checkpoint_of_another_network_says_which_one_is_needed(row: Architecture, tmp_path: Path) -> None:
    torch.save(find_architecture("resnet18").build(2).state_dict(), tmp_path / "w.pth")

    with pytest.raises(InputError, match="give a state dict of timm's test_efficientnet"):
        apply_weights(row.build(2), load_starting_weights(str(tmp_path / "w.pth"), row, Silent()), row)


def test_frozen_blocks_keep_weights_and_statistics_and_the_others_change(
    row: Architecture, tmp_path: Path
) -> None:
    network = row.build(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    trained = train_network(network, dataset_of_films(), SETTINGS, tmp_path, Silent())

    parts = {name.rpartition(".")[0] for name in changed(network, before)}
    assert trained.views is None
    assert {"whole.classifier", "whole.conv_head"} <= parts
    assert {name.split(".")[2] for name in parts if name.startswith("whole.blocks.")} == {"4"}
    assert not network.training


def test_with_no_block_unfrozen_the_classifier_alone_is_trained(row: Architecture, tmp_path: Path) -> None:
    network = row.build(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    train_network(network, dataset_of_films(), replace(SETTINGS, unfreeze=0), tmp_path, Silent())

    assert all(
        name.startswith(("whole.classifier.", "whole.conv_head.")) for name in changed(network, before)
    )
    assert changed(network, before) >= {"whole.classifier.weight", "whole.classifier.bias"}


def test_frozen_blocks_are_in_eval_mode_while_the_others_are_trained(row: Architecture) -> None:
    network = row.build(2)

    split_network(network, 2).trained.train()

    for module in network.modules():
        parameters = list(module.parameters(recurse=False))
        if parameters:
            assert module.training == parameters[0].requires_grad
    assert {module.training for module in network.modules() if isinstance(module, nn.BatchNorm2d)} == {
        True,
        False,
    }


def test_the_share_of_blocks_that_is_trained_is_mobilenet_v2s(row: Architecture) -> None:
    assert row.unfreeze[WeightsKind.IMAGENET] == round(row.blocks * 12 / 19)
    assert row.unfreeze[WeightsKind.NONE] == row.blocks
    assert row.imagenet_weights == "timm/test_efficientnet.r160_in1k"


def test_a_network_without_groups_is_one_block() -> None:
    (block,) = _blocks_of(_Plain("fc"), "fc")

    assert block == ("stem.weight", "stem.bias", "norm.weight", "norm.bias")


@pytest.mark.parametrize(
    ("head", "words"),
    [(("fc", "fc_dist"), "2 last layers"), (None, "no last layer"), ("gone", "no last layer")],
)
def test_a_network_whose_last_layer_is_not_one_is_refused(head: object, words: str) -> None:
    with pytest.raises(InputError, match=f"--arch timm/plain: has {words}"):
        _head_of("timm/plain", _Plain(head))


def test_a_name_that_timm_does_not_have_is_an_error_that_suggests_one() -> None:
    with pytest.raises(
        InputError, match="timm has no classifier of this name; did you mean timm/test_efficientnet"
    ):
        find_architecture("timm/test_efficientnett")


def test_a_tag_that_timm_does_not_have_is_an_error() -> None:
    with pytest.raises(
        InputError, match=r"timm cannot build this network .*Invalid pretrained tag \(bogus\)"
    ):
        find_architecture("timm/test_efficientnet.bogus", SIDE)


def test_a_network_for_one_size_is_built_for_the_images() -> None:
    network = find_architecture("timm/test_vit", SIDE).build(2).eval()

    assert network(torch.zeros(1, 3, SIDE, SIDE)).shape == (1, 2)


def test_a_size_that_the_network_cannot_take_is_an_error_before_the_data_are_read() -> None:
    with pytest.raises(
        InputError, match=r"timm's test_vit cannot classify images of 40 by 40 pixels .*; give another"
    ):
        refuse_image_size(find_architecture("timm/test_vit", 40), 40)


def cached(folder: Path, repository: str, state: dict[str, Tensor]) -> None:
    """Write a file as the Hub's own library caches it."""
    root = folder / f"models--{repository.replace('/', '--')}"
    for part in ("refs", "snapshots/0"):
        (root / part).mkdir(parents=True)
    (root / "refs" / "main").write_text("0")
    save_file(state, root / "snapshots" / "0" / "model.safetensors")


def test_timms_own_weights_are_read_from_the_hubs_cache_once_downloaded(
    row: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    state = timm.create_model("test_efficientnet").state_dict()
    cached(tmp_path, "timm/test_efficientnet.r160_in1k", state)
    network = row.build(2)

    weights = load_starting_weights("imagenet", row, Silent())

    assert (weights.kind, weights.name) == (WeightsKind.IMAGENET, "timm/test_efficientnet.r160_in1k")
    assert not apply_weights(network, weights, row)
    assert network.state_dict()["whole.conv_stem.weight"].equal(state["conv_stem.weight"])


def test_a_failed_download_of_timms_weights_is_an_error_with_both_remedies(
    row: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)

    with pytest.raises(
        InputError, match=r"r160_in1k could not be downloaded .*--weights none, .*--weights FILE"
    ):
        load_starting_weights("imagenet", row, Silent())
