"""The network, what of it is frozen, and the weights it starts from."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from making.films import Remembering
from safetensors.torch import save_file

from models.architectures import find_architecture
from models.errors import InputError
from models.network import ImageClassifier, split_network
from models.progress import Silent
from models.starting_weights import (
    StartingWeights,
    apply_weights,
    load_starting_weights,
)
from models.torchvision_import import import_torchvision_models
from models.weights_kind import WeightsKind, weights_kind

MOBILENET = find_architecture("mobilenet_v2")


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def torchvision_state(classes: int = 1000) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    return dict(import_torchvision_models().mobilenet_v2(num_classes=classes).state_dict())


def load(path: Path, classes: int = 2) -> tuple[ImageClassifier, StartingWeights, bool]:
    network = MOBILENET.build(classes)
    weights = load_starting_weights(str(path), MOBILENET, Silent())
    return network, weights, apply_weights(network, weights, MOBILENET)


def test_the_network_is_torchvisions_behind_its_normalisation(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    reference = import_torchvision_models().mobilenet_v2(num_classes=3).eval()
    network = MOBILENET.build(3).eval()
    network.load_state_dict({**network.state_dict(), **reference.state_dict()})
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)

    logits = network(images)

    torch.testing.assert_close(logits, reference((images - mean) / std))


def test_a_working_extension_of_torchvision_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import_torchvision_models()
    declared = importlib.import_module("models.torchvision_import")
    declare = []
    monkeypatch.setattr(declared, "_declare_operators", lambda: declare.append(True))

    declared.import_torchvision_models.__wrapped__()

    assert declare == []


@pytest.mark.parametrize("unfreeze", [0, 5, 19])
def test_the_frozen_and_the_trained_part_together_are_the_network(
    images: torch.Tensor, unfreeze: int
) -> None:
    network = MOBILENET.build(2).eval()
    whole = network(images)

    parts = split_network(network, unfreeze)

    assert parts.frozen_blocks == 19 - unfreeze
    torch.testing.assert_close(parts.trained(parts.frozen(images)), whole)


def test_only_the_last_blocks_and_the_classifier_have_gradients() -> None:
    network = MOBILENET.build(2)

    split_network(network, 2)

    trained = {name.rsplit(".", 1)[0] for name, value in network.named_parameters() if value.requires_grad}
    assert {name.split(".")[1] for name in trained if name.startswith("features")} == {"17", "18"}
    assert "classifier.1" in trained


def test_training_the_trained_part_leaves_frozen_batch_norms_as_they_are(images: torch.Tensor) -> None:
    network = MOBILENET.build(2)
    parts = split_network(network, 2)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    parts.trained.train()
    parts.trained(parts.frozen(images))

    changed = {
        name.split(".")[1] for name, value in network.state_dict().items() if not value.equal(before[name])
    }
    assert changed == {"17", "18"}


def test_an_unknown_architecture_is_an_error_that_suggests_one() -> None:
    with pytest.raises(InputError, match="did you mean 'mobilenet_v2'"):
        find_architecture("mobilenetv2")


def test_a_half_precision_file_is_converted_and_a_head_that_does_not_fit_is_replaced(
    tmp_path: Path, images: torch.Tensor
) -> None:
    state = {name: value.half() for name, value in torchvision_state().items() if value.is_floating_point()}
    save_file(state, tmp_path / "w.safetensors")

    network, weights, head_kept = load(tmp_path / "w.safetensors")

    assert not head_kept
    assert weights.kind is WeightsKind.FILE
    assert len(weights.sha256 or "") == 64
    assert network.state_dict()["features.0.0.weight"].dtype == torch.float32
    torch.testing.assert_close(
        network.state_dict()["features.0.0.weight"], state["features.0.0.weight"].float()
    )
    assert network.eval()(images).shape == (2, 2)


def test_a_head_of_the_same_shape_is_kept(tmp_path: Path) -> None:
    state = torchvision_state(classes=2)
    save_file(state, tmp_path / "w.safetensors")

    network, _, head_kept = load(tmp_path / "w.safetensors")

    assert head_kept
    torch.testing.assert_close(network.state_dict()["classifier.1.weight"], state["classifier.1.weight"])


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_pth_file_is_loaded_bare_or_wrapped_as_a_training_script_leaves_it(
    tmp_path: Path, wrapped: bool
) -> None:
    state = torchvision_state()
    wrapping = {"epoch": 3, "state_dict": {f"module.{name}": value for name, value in state.items()}}
    torch.save(wrapping if wrapped else state, tmp_path / "w.pth")

    network, _, _ = load(tmp_path / "w.pth")

    torch.testing.assert_close(network.state_dict()["features.18.0.weight"], state["features.18.0.weight"])


class _Harmful:
    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return (Path.touch, (Path("harm-done"),))


def test_a_pth_file_that_would_run_code_is_refused_and_runs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"features.0.0.weight": _Harmful()}, tmp_path / "w.pth")

    with pytest.raises(InputError, match=r"w\.pth: needs code to be loaded"):
        load(tmp_path / "w.pth")

    assert not (tmp_path / "harm-done").exists()


def test_a_checkpoint_of_another_architecture_is_an_error(tmp_path: Path) -> None:
    state = import_torchvision_models().squeezenet1_1(num_classes=2).state_dict()
    save_file(dict(state), tmp_path / "squeezed.safetensors")

    with pytest.raises(
        InputError, match=r"squeezed\.safetensors is not a mobilenet_v2 checkpoint: 'features"
    ):
        load(tmp_path / "squeezed.safetensors")


def test_a_network_of_another_width_is_an_error_naming_both_shapes(tmp_path: Path) -> None:
    narrow = import_torchvision_models().mobilenet_v2(width_mult=0.5).state_dict()
    save_file(dict(narrow), tmp_path / "narrow.safetensors")

    with pytest.raises(InputError, match=r"is \[16, 3, 3, 3\], but must be \[32, 3, 3, 3\] \(and \d+ more\)"):
        load(tmp_path / "narrow.safetensors")


def test_weights_that_are_not_finite_are_an_error(tmp_path: Path) -> None:
    state = torchvision_state()
    state["features.3.conv.0.0.weight"][0] = float("nan")
    save_file(state, tmp_path / "w.safetensors")

    with pytest.raises(
        InputError, match=r"'features\.3\.conv\.0\.0\.weight' contains values that are not finite"
    ):
        load(tmp_path / "w.safetensors")


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_a_broken_file_is_an_error_on_one_line(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"w.{suffix}").write_bytes(b"no weights")

    with pytest.raises(InputError) as caught:
        load(tmp_path / f"w.{suffix}")

    assert f"w.{suffix}" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", ["imagnet", "/nowhere/weights.pth"])
def test_unknown_weights_are_an_error_listing_the_names(given: str) -> None:
    with pytest.raises(InputError, match="imagenet, bundled, none or a FILE"):
        weights_kind(given)


def test_a_misspelt_name_of_weights_is_an_error_that_suggests_the_right_one() -> None:
    with pytest.raises(InputError, match="did you mean 'imagenet'"):
        weights_kind("imagnet")


def test_random_weights_have_no_file_and_leave_the_network_alone() -> None:
    network = MOBILENET.build(2)
    before = network.state_dict()["features.0.0.weight"].clone()

    weights = load_starting_weights("none", MOBILENET, Silent())

    assert not apply_weights(network, weights, MOBILENET)
    assert (weights.name, weights.sha256) == ("none", None)
    assert network.state_dict()["features.0.0.weight"].equal(before)


def test_a_failed_download_of_imagenet_weights_is_an_error_with_both_remedies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for variable in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)

    with pytest.raises(InputError) as caught:
        load_starting_weights("imagenet", MOBILENET, Silent())

    assert "--weights bundled" in str(caught.value)
    assert "--weights FILE" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tensor", "expected"),
    [
        (torch.zeros(2, dtype=torch.complex64), "holds torch.complex64"),
        (torch.zeros(2, dtype=torch.int32), "holds torch.int32"),
        (torch.zeros(2, 2).to_sparse(), "sparse"),
        (torch.zeros(2, device="meta"), "without values"),
    ],
)
def test_tensors_other_than_dense_floats_are_an_error_naming_file_and_tensor(
    tmp_path: Path, tensor: torch.Tensor, expected: str
) -> None:
    torch.save({**torchvision_state(), "features.0.0.weight": tensor}, tmp_path / "w.pth")

    with pytest.raises(InputError) as caught:
        load(tmp_path / "w.pth")

    assert "w.pth: 'features.0.0.weight'" in str(caught.value)
    assert expected in str(caught.value)


def test_imagenet_weights_are_read_from_torchs_cache_once_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Remembering
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    state = torchvision_state()
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(state, cache / "mobilenet_v2-b0353104.pth")

    weights = load_starting_weights("imagenet", MOBILENET, progress)

    assert weights.kind is WeightsKind.IMAGENET
    assert weights.name == "mobilenet_v2-b0353104.pth"
    torch.testing.assert_close(weights.tensors["classifier.1.weight"], state["classifier.1.weight"])
    assert progress.tasks == [("Loading ImageNet weights (mobilenet_v2-b0353104.pth)", 1)]


def test_a_whole_pickled_network_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(1, 1), tmp_path / "w.pth")

    with pytest.raises(InputError) as caught:
        load(tmp_path / "w.pth")

    assert "w.pth: needs code to be loaded (torch.nn.modules.linear.Linear)" in str(caught.value)
    assert "c = c.state_dict(); torch.save(c" in str(caught.value)
    assert str(caught.value).isprintable()


def test_an_unprintable_name_of_a_weights_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "w\udcff.safetensors"
    path.write_bytes(b"")

    with pytest.raises(InputError, match=r"w\\udcff\.safetensors': its name"):
        weights_kind(str(path))
