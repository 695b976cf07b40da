"""Training: what an epoch sees, what is kept, when it stops, and that it learns."""

import copy
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from math import cos, pi
from pathlib import Path

import numpy as np
import pytest
import torch
from making.films import Remembering, dataset_of_films, films
from making.full_disk import no_file_beyond
from making.seeded import generator
from torch import Generator, Tensor, nn

from models import openmp_waiting
from models.architectures import find_architecture
from models.dataset import Dataset, Split
from models.errors import InputError
from models.network import split_network
from models.pixels import to_input, to_planes
from models.progress import Silent
from models.training import frozen_features
from models.training.augmentation import Augmentation
from models.training.averaging import RunningMean
from models.training.frozen_features import (
    CachedFeatures,
    FeatureCache,
    fuse_batch_norms,
)
from models.training.loop import rarity_weights, train
from models.training.run import train_network
from models.training.settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=3, unfreeze=2, seed=0, flip=True, batch_size=8, views=2)


def test_folding_batch_norms_changes_no_output() -> None:
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.3, 1)
    frozen = split_network(network, 12).frozen
    images = torch.rand(2, 3, 64, 64)

    fused = fuse_batch_norms(frozen)

    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    torch.testing.assert_close(fused(images), frozen(images), atol=1e-5, rtol=1e-4)


def test_features_that_do_not_fit_into_memory_are_in_an_unnamed_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, progress: Remembering
) -> None:
    split, made = films(20, 32, 0), feature_cache(tmp_path)
    in_memory = made.cache_plain(split, "")
    monkeypatch.setattr(frozen_features, "MOST_BYTES_IN_MEMORY", 1000)

    on_disk = replace(made, progress=progress).cache_plain(split, "")

    assert on_disk.store.equal(in_memory.store)
    assert f"0.0 GB: it is in an unnamed file on the disk of {tmp_path.parent}" in progress.sentences[0]
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_too_small_for_the_features_is_a_sentence_before_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_features, "MOST_BYTES_IN_MEMORY", 1000)
    said = r"needs [0-9.]+ MB of disk .*; raise the limit on the size of a file .*, or choose an --out"

    with no_file_beyond(4096), pytest.raises(InputError, match=said):
        feature_cache(tmp_path).cache_plain(films(20, 32, 0), "")

    assert list(tmp_path.iterdir()) == []


def feature_cache(folder: Path, unfreeze: int = 12) -> FeatureCache:
    torch.manual_seed(0)
    frozen = split_network(find_architecture("mobilenet_v2").build(2), unfreeze).frozen
    return FeatureCache(frozen, folder, 8, Silent())


def test_cached_features_are_the_frozen_parts_output_in_half_precision(tmp_path: Path) -> None:
    split, made = films(70, 32, 0), feature_cache(tmp_path)

    features = made.cache_plain(split, "")

    cached = torch.cat([inputs for inputs, _ in features.in_order()])
    expected = made.frozen(to_input(to_planes(split.images)))
    torch.testing.assert_close(cached, expected, atol=float(expected.abs().max()) / 500, rtol=2e-3)
    assert torch.cat([labels for _, labels in features.in_order()]).tolist() == split.labels.tolist()


def test_views_of_an_image_differ_and_an_epoch_uses_one_of_each_image(tmp_path: Path) -> None:
    split = films(20, 32, 0)

    features = feature_cache(tmp_path).cache_views(split, 3, Augmentation(10, flip=True), generator(), "")

    inputs, labels = map(torch.cat, zip(*features.epoch(generator()), strict=True))
    views = features.store.permute(0, 1, 4, 2, 3).float()
    matches = [
        {(view, image) for view in range(3) for image in range(20) if views[view, image].equal(batch_image)}
        for batch_image in inputs
    ]
    assert not views[0].equal(views[1])
    assert all(len(match) == 1 for match in matches)
    assert sorted(image for match in matches for _, image in match) == list(range(20))
    assert len({view for match in matches for view, _ in match}) == 3
    assert [split.labels[image] for match in matches for _, image in match] == labels.tolist()


def test_classes_up_to_three_to_one_weigh_the_same() -> None:
    labels = np.array([0] * 10 + [1] * 30)

    assert rarity_weights(labels, 2).tolist() == [1, 1]


def test_a_rare_class_is_weighted_as_a_third_of_the_commonest() -> None:
    labels = np.array([0] * 10 + [1] * 300)

    weights = rarity_weights(labels, 2)

    assert weights[0] * 10 == pytest.approx((weights[1] * 300 / 3).item())
    assert weights[labels].mean() == pytest.approx(1)


class _Point(nn.Module):
    """Two logits with a trained bias, the same for every input."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(2))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.bias.expand(len(inputs), 2)


@dataclass(frozen=True)
class _Always:
    """One batch in which everything is of class 1."""

    def __len__(self) -> int:
        return 1

    def epoch(self, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        yield torch.zeros(4, 1, 1, 1), torch.ones(4, dtype=torch.int64)


def _validation(label: int) -> CachedFeatures:
    return CachedFeatures(torch.zeros(1, 4, 1, 1, 1, dtype=torch.float16), torch.full((4,), label), 4)


def test_training_stops_after_patience_and_restores_the_best_epoch() -> None:
    network = _Point()
    settings = replace(SETTINGS, epochs=50, patience=3, learning_rate=0.1)

    trained = train(network, _Always(), _validation(0), torch.ones(2), settings, Silent())

    losses = [epoch.validation_loss for epoch in trained.epochs]
    assert losses == sorted(losses)
    assert trained.best_epoch == 1
    assert len(trained.epochs) == 4
    # Adam's first step is the learning rate, of which the mean takes 9 of 11 parts at once.
    assert network.bias[1].item() == pytest.approx(0.1 * 9 / 11, abs=1e-3)


def test_training_continues_while_the_validation_loss_falls() -> None:
    settings = replace(SETTINGS, epochs=12, patience=3, learning_rate=0.1)

    trained = train(_Point(), _Always(), _validation(1), torch.ones(2), settings, Silent())

    assert (len(trained.epochs), trained.best_epoch) == (12, 12)


def test_the_running_mean_of_the_weights_is_validated_and_restored() -> None:
    network = _Point()
    mean = RunningMean(network)
    for value in (1.0, 1.0, 4.0):
        nn.init.constant_(network.bias, value)
        mean.update()

    expected = 0.0
    for step, value in enumerate((1.0, 1.0, 4.0), 1):
        share = 1 - (1 + step) / (10 + step)
        expected += share * (value - expected)
    assert mean.network.state_dict()["bias"].tolist() == pytest.approx([expected] * 2)
    assert network.bias.tolist() == [4.0, 4.0]


class _Normed(_Point):
    """The same behind a batch norm."""

    def __init__(self, momentum: float | None) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1, momentum=momentum)

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(self.norm(inputs))


@dataclass(frozen=True)
class _Bright(_Always):
    """One batch whose mean is 5."""

    def epoch(self, generator: Generator) -> Iterator[tuple[Tensor, Tensor]]:
        yield torch.tensor([4.0, 6.0, 4.0, 6.0]).reshape(4, 1, 1, 1), torch.ones(4, dtype=torch.int64)


@pytest.mark.parametrize("momentum", [0.001, 0.1, None])
def test_batch_norms_have_the_statistics_of_the_images_after_one_step(momentum: float | None) -> None:
    network = _Normed(momentum)

    train(network, _Bright(), _validation(1), torch.ones(2), replace(SETTINGS, epochs=1), Silent())

    assert network.norm.running_mean is not None
    assert network.norm.running_var is not None
    assert network.norm.running_mean.item() == pytest.approx(5)
    assert network.norm.running_var.item() == pytest.approx(4 / 3)
    assert network.norm.momentum == momentum


def test_steps_of_a_network_in_channels_last_are_those_of_adam() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    by_hand = copy.deepcopy(network)
    settings = replace(SETTINGS, epochs=1)
    store = torch.rand(1, 16, 4, 4, 3).half()
    features = CachedFeatures(store, torch.arange(16) % 2, 8)
    optimizer = torch.optim.Adam(by_hand.parameters(), lr=settings.learning_rate, fused=False)
    mean = RunningMean(by_hand)
    for step, (inputs, labels) in enumerate(features.epoch(torch.Generator().manual_seed(settings.seed))):
        optimizer.param_groups[0]["lr"] = settings.learning_rate * (1 + cos(pi * step / 2)) / 2
        optimizer.zero_grad()
        nn.functional.cross_entropy(by_hand(inputs), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        mean.update()

    train(network, features, features, torch.ones(2), settings, Silent())

    for name, value in mean.network.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, atol=1e-6, rtol=1e-5)


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    network = _Point()
    nn.init.constant_(network.bias, float("nan"))

    with pytest.raises(InputError, match="epoch 1"):
        train(network, _Always(), _validation(1), torch.ones(2), SETTINGS, Silent())


def test_the_learning_rate_falls_along_half_a_cosine() -> None:
    settings = replace(SETTINGS, epochs=4, learning_rate=0.1)

    trained = train(_Point(), _Always(), _validation(1), torch.ones(2), settings, Silent())

    rates = [epoch.learning_rate for epoch in trained.epochs]
    assert rates == pytest.approx([0.1, 0.0853553, 0.05, 0.0146447], rel=1e-4)


def bright_or_dark(count: int) -> Dataset:
    """Images that are all bright or all dark: untrained features tell them apart."""
    labels = np.arange(count, dtype=np.int64) % 2
    images = np.where(labels, 230, 20).astype(np.uint8)[:, None, None].repeat(32, 1).repeat(32, 2)
    split = Split(images, labels)
    return Dataset("light", ("dark", "bright"), split, split, split)


def changed_blocks(network: nn.Module, before: Mapping[str, Tensor]) -> set[int]:
    """Return the numbers of the feature blocks whose weights or statistics are not what they were."""
    changed = {name for name, value in network.state_dict().items() if not value.equal(before[name])}
    return {int(name.split(".")[1]) for name in changed if name.startswith("features")}


@pytest.mark.parametrize("cache_frozen", [True, False])
def test_classes_that_untrained_features_separate_are_learnt(tmp_path: Path, cache_frozen: bool) -> None:
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    settings = replace(SETTINGS, epochs=4, learning_rate=2e-3, batch_size=32, rotation_degrees=0.0)

    trained = train_network(
        network, bright_or_dark(64), settings, tmp_path, Silent(), cache_frozen=cache_frozen
    )

    # It ends near 0.001. Where nothing is learnt it stays near 0.69, the logarithm of two classes.
    assert trained.epochs[-1].train_loss < 0.1
    assert trained.epochs[-1].train_accuracy == 1
    assert not network.training


def test_without_frozen_blocks_every_block_is_trained(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settings = replace(SETTINGS, epochs=1, unfreeze=19)

    trained = train_network(network, dataset_of_films(), settings, tmp_path, Silent())

    assert changed_blocks(network, before) == set(range(19))
    assert trained.views is None
    assert not network.training


def test_frozen_blocks_are_the_same_after_training_and_the_others_are_not(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    train_network(network, dataset_of_films(), replace(SETTINGS, epochs=1), tmp_path, Silent())

    assert changed_blocks(network, before) == {17, 18}
    assert not network.state_dict()["classifier.1.weight"].equal(before["classifier.1.weight"])
    assert not network.state_dict()["classifier.1.bias"].equal(before["classifier.1.bias"])


def test_the_plain_loop_trains_the_same_part_without_a_cache(tmp_path: Path, progress: Remembering) -> None:
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    before = network.state_dict()["features.0.0.weight"].clone()

    trained = train_network(
        network, dataset_of_films(), replace(SETTINGS, epochs=1), tmp_path, progress, cache_frozen=False
    )

    assert trained.views is None
    assert network.state_dict()["features.0.0.weight"].equal(before)
    assert not any("training images" in task for task, _ in progress.tasks)


def test_every_epoch_is_a_bar_of_its_batches_with_loss_and_accuracy(
    tmp_path: Path, progress: Remembering
) -> None:
    network = find_architecture("mobilenet_v2").build(2)

    train_network(network, dataset_of_films(), SETTINGS, tmp_path, progress)

    epochs = [task for task in progress.tasks if task[0].startswith("Epoch")]
    # Five batches, the same for the statistics of batch norms, and one chunk of images that are validated.
    assert epochs == [("Epoch 1/3", 11), ("Epoch 2/3", 11), ("Epoch 3/3", 11)]
    *_, last_batch, measured, validated = [note for note, _ in groupby(progress.notes)]
    assert last_batch.startswith("loss ")
    assert "accuracy" in last_batch
    assert measured == "measuring batch norms"
    assert validated == "validating"


def test_how_openmp_waits_leaves_the_environment_of_later_processes_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("OMP_WAIT_POLICY", *openmp_waiting.VARIABLES):
        monkeypatch.delenv(name, raising=False)
    seen: list[dict[str, str]] = []
    monkeypatch.setattr("importlib.import_module", lambda _: seen.append(dict(os.environ)))

    openmp_waiting.load_torch()

    assert openmp_waiting.VARIABLES.items() <= seen[0].items()
    assert not openmp_waiting.VARIABLES.keys() & os.environ.keys()


@pytest.mark.parametrize("name", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT"])
def test_how_openmp_waits_is_what_the_users_environment_says(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "active")
    monkeypatch.setattr("importlib.import_module", pytest.fail)

    openmp_waiting.load_torch()

    assert os.environ[name] == "active"
