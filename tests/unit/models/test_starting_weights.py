"""Checkpoints as starting weights: heads of other kinds, networks of other libraries, and what is said."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from models.architectures import find_architecture
from models.errors import InputError
from models.network import ImageClassifier
from models.progress import Silent
from models.starting_weights import (
    StartingWeights,
    apply_weights,
    head_note,
    load_starting_weights,
)
from models.torchvision_import import import_torchvision_models
from models.weights_kind import WeightsKind, weights_kind

MOBILENET = find_architecture("mobilenet_v2")


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(1)
    return dict(import_torchvision_models().mobilenet_v2(num_classes=2).state_dict())


@pytest.fixture(scope="module")
def features(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if name.startswith("features.")}


def load(path: Path, content: object) -> tuple[ImageClassifier, StartingWeights, bool]:
    torch.save(content, path)
    network = MOBILENET.build(2)
    weights = load_starting_weights(str(path), MOBILENET, Silent())
    return network, weights, apply_weights(network, weights, MOBILENET)


def linear(name: str, inputs: int, outputs: int) -> dict[str, Tensor]:
    return {f"{name}.weight": torch.ones(outputs, inputs), f"{name}.bias": torch.ones(outputs)}


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (linear("classifier", 1280, 2), "the file has no 'classifier.1.weight'"),
        (linear("fc", 1280, 2), "the file has no 'classifier.1.weight'"),
        (linear("head.fc", 1280, 2), "the file has no 'classifier.1.weight'"),
        ({}, "the file has no 'classifier.1.weight'"),
        (
            linear("classifier.1", 1280, 512) | linear("classifier.4", 512, 2),
            "'classifier.1.weight' of the file has the shape [512, 1280], and the classes need [2, 1280]",
        ),
        (
            linear("classifier.1", 1280, 5),
            "'classifier.1.weight' of the file has the shape [5, 1280], and the classes need [2, 1280]",
        ),
    ],
    ids=["classifier", "fc", "head.fc", "none", "two layers", "other classes"],
)
def test_of_another_head_the_features_are_taken_and_the_new_head_is_said(
    tmp_path: Path, features: dict[str, Tensor], head: dict[str, Tensor], why: str
) -> None:
    network, weights, head_kept = load(tmp_path / "w.pth", features | head)

    assert not head_kept
    assert network.state_dict()["features.18.0.weight"].equal(features["features.18.0.weight"])
    assert not bool(network.state_dict()["classifier.1.weight"].eq(1).any())
    note = head_note(network, weights, MOBILENET)
    assert note == f"The features of w.pth were taken, and the head is new: {why}."
    strange = [name for name in head if not name.startswith("classifier.1.")]
    assert any("not used" in note and strange[0] in note for note in weights.notes) == bool(strange)


def test_a_head_beside_a_prefixed_network_is_new(tmp_path: Path, features: dict[str, Tensor]) -> None:
    content = {f"backbone.{name}": value for name, value in features.items()} | linear("fc", 1280, 3)

    network, weights, head_kept = load(tmp_path / "w.pth", content)

    assert not head_kept
    assert network.state_dict()["features.0.0.weight"].equal(features["features.0.0.weight"])
    assert weights.notes == (
        "The prefix 'backbone.' was removed from 312 names.",
        "2 tensors were not used ('fc.weight', 'fc.bias') without the prefix 'backbone.'.",
    )


def test_a_head_that_fits_needs_no_word(tmp_path: Path, state: dict[str, Tensor]) -> None:
    network, weights, head_kept = load(tmp_path / "w.pth", state)

    assert head_kept
    assert weights.notes == ()
    assert head_note(network, weights, MOBILENET) is None


def test_reading_weights_draws_no_random_numbers_of_the_caller(
    tmp_path: Path, state: dict[str, Tensor]
) -> None:
    torch.save(state, tmp_path / "w.pth")
    before = torch.random.get_rng_state()

    load_starting_weights(str(tmp_path / "w.pth"), MOBILENET, Silent())

    assert torch.random.get_rng_state().equal(before)


def test_a_strange_name_among_the_features_is_an_error(tmp_path: Path, state: dict[str, Tensor]) -> None:
    with pytest.raises(InputError, match=r"'features\.19\.weight' is unknown"):
        load(tmp_path / "w.pth", {**state, "features.19.weight": torch.ones(1)})


def test_features_that_are_not_all_there_are_an_error(tmp_path: Path, state: dict[str, Tensor]) -> None:
    missing = "features.18.0.weight"

    with pytest.raises(InputError, match=f"'{missing}' is missing"):
        load(
            tmp_path / "w.pth",
            {f"model.{name}": value for name, value in state.items() if name != missing},
        )


def test_timm_s_weights_are_the_same_network(tmp_path: Path) -> None:
    import_torchvision_models()
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    other = timm.create_model("mobilenetv2_100", num_classes=2).eval()

    network, weights, head_kept = load(tmp_path / "w.pth", {"state_dict": other.state_dict()})

    assert not head_kept
    assert "312 names are timm's, and were changed to torchvision's." in weights.notes
    network.eval().classifier[1] = other.classifier  # type: ignore[operator]
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network(images), other(network.normalise(images)))


def test_random_and_imagenet_weights_have_no_note_on_the_head() -> None:
    weights = StartingWeights(WeightsKind.IMAGENET, "m.pth", None, {})

    assert head_note(MOBILENET.build(2), weights, MOBILENET) is None


@pytest.mark.parametrize("name", ["w.ckpt", "w.pth.tar", "w.bin", "w"])
def test_any_existing_file_may_hold_weights(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")

    assert weights_kind(str(tmp_path / name)) is WeightsKind.FILE


def test_a_link_whose_file_was_not_fetched_says_how_to_fetch_it(tmp_path: Path) -> None:
    (tmp_path / "w.pth").symlink_to(".git/annex/objects/zz/w.pth")

    with pytest.raises(InputError, match="git annex get"):
        weights_kind(str(tmp_path / "w.pth"))
