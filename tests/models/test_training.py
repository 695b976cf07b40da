"""Training: what an epoch sees, what is kept, when it stops, and that it learns."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from making.films import Remembering, dataset_of_films, films
from torch import Generator, Tensor, nn

from models import patient_threads
from models.dataset import Dataset, Split
from models.errors import InputError
from models.network import find_architecture, split_network
from models.pixels import to_input, to_planes
from models.progress import Silent
from models.training import frozen_features
from models.training.augmentation import Augmentation
from models.training.averaging import RunningMean
from models.training.frozen_features import FeatureKeeper, KeptFeatures, fuse_batch_norms
from models.training.loop import rarity_weights, train
from models.training.run import train_network
from models.training.settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=3, unfreeze=2, seed=0, flip=True, batch_size=8, views=2)


def generator(seed: int = 0) -> Generator:
    return torch.Generator().manual_seed(seed)


def test_folding_batch_norms_changes_no_output():
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.3, 1)
    frozen = split_network(network, 12).frozen
    images = torch.rand(2, 3, 64, 64)

    fused = fuse_batch_norms(frozen)

    assert not any(isinstance(module, nn.BatchNorm2d) for module in fused.modules())
    torch.testing.assert_close(fused(images), frozen(images), atol=1e-5, rtol=1e-4)


def keeper(folder: Path, unfreeze: int = 12) -> FeatureKeeper:
    torch.manual_seed(0)
    frozen = split_network(find_architecture("mobilenet_v2").build(2), unfreeze).frozen
    return FeatureKeeper(frozen, folder, 8, Silent())


def test_kept_features_are_what_the_frozen_part_gives_in_half_precision(tmp_path):
    split, made = films(70, 32, 0), keeper(tmp_path)

    kept = made.keep_plain(split, "")

    found = torch.cat([inputs for inputs, _ in kept.in_order()])
    expected = made.frozen(to_input(to_planes(split.images)))
    torch.testing.assert_close(found, expected, atol=float(expected.abs().max()) / 500, rtol=2e-3)
    assert torch.cat([labels for _, labels in kept.in_order()]).tolist() == split.labels.tolist()


def test_what_does_not_fit_into_memory_is_kept_in_a_file_that_leaves_no_trace(tmp_path, monkeypatch):
    split, made = films(20, 32, 0), keeper(tmp_path)
    in_memory = made.keep_plain(split, "")
    monkeypatch.setattr(frozen_features, "MOST_BYTES_IN_MEMORY", 1000)

    on_disk = made.keep_plain(split, "")

    assert on_disk.store.equal(in_memory.store)
    assert list(tmp_path.iterdir()) == []


def test_views_of_an_image_differ_and_an_epoch_takes_one_of_each_image(tmp_path):
    split = films(20, 32, 0)

    kept = keeper(tmp_path).keep_views(split, 3, Augmentation(10, flip=True), generator(), "")

    inputs, labels = map(torch.cat, zip(*kept.epoch(generator()), strict=True))
    views = kept.store.permute(0, 1, 4, 2, 3).float()
    found = [
        {(view, image) for view in range(3) for image in range(20) if views[view, image].equal(one)}
        for one in inputs
    ]
    assert not views[0].equal(views[1])
    assert all(len(places) == 1 for places in found)
    assert sorted(image for places in found for _, image in places) == list(range(20))
    assert len({view for places in found for view, _ in places}) == 3
    assert [split.labels[image] for places in found for _, image in places] == labels.tolist()


def test_classes_up_to_three_to_one_weigh_the_same():
    labels = np.array([0] * 10 + [1] * 30)

    assert rarity_weights(labels, 2).tolist() == [1, 1]


def test_a_rarer_class_is_lifted_to_a_third_of_the_commonest():
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


def _validation(label: int) -> KeptFeatures:
    return KeptFeatures(torch.zeros(1, 4, 1, 1, 1, dtype=torch.float16), torch.full((4,), label), 4)


def test_training_stops_when_the_validation_loss_has_not_fallen_for_a_while_and_the_best_epoch_returns():
    network = _Point()
    settings = replace(SETTINGS, epochs=50, patience=3, learning_rate=0.1)

    trained = train(network, _Always(), _validation(0), torch.ones(2), settings, Silent())

    losses = [epoch.validation_loss for epoch in trained.epochs]
    assert losses == sorted(losses)
    assert trained.best_epoch == 1
    assert len(trained.epochs) == 4
    # Adam's first step is the learning rate, of which the mean takes 9 of 11 parts at once.
    assert network.bias[1].item() == pytest.approx(0.1 * 9 / 11, abs=1e-3)


def test_training_goes_on_to_its_end_while_the_validation_loss_falls():
    settings = replace(SETTINGS, epochs=12, patience=3, learning_rate=0.1)

    trained = train(_Point(), _Always(), _validation(1), torch.ones(2), settings, Silent())

    assert (len(trained.epochs), trained.best_epoch) == (12, 12)


def test_what_is_validated_and_kept_is_the_running_mean_of_the_weights():
    network = _Point()
    mean = RunningMean(network)
    for value in (1.0, 1.0, 4.0):
        nn.init.constant_(network.bias, value)
        mean.update(network)

    expected = 0.0
    for step, value in enumerate((1.0, 1.0, 4.0), 1):
        share = 1 - (1 + step) / (10 + step)
        expected += share * (value - expected)
    assert mean.network.bias.tolist() == pytest.approx([expected] * 2)
    assert network.bias.tolist() == [4.0, 4.0]


def test_a_loss_that_is_no_number_is_an_error_and_not_a_run():
    network = _Point()
    nn.init.constant_(network.bias, float("nan"))

    with pytest.raises(InputError, match="epoch 1"):
        train(network, _Always(), _validation(1), torch.ones(2), SETTINGS, Silent())


def test_the_learning_rate_falls_along_half_a_cosine():
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


@pytest.mark.parametrize("keep_frozen", [True, False])
def test_what_untrained_features_tell_apart_is_learnt_at_once(tmp_path, keep_frozen):
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    settings = replace(SETTINGS, epochs=4, learning_rate=2e-3, batch_size=32, rotation_degrees=0.0)

    trained = train_network(
        network, bright_or_dark(64), settings, tmp_path, Silent(), keep_frozen=keep_frozen
    )

    # It ends near 0.001. Where nothing is learnt it stays near 0.69, the logarithm of two classes.
    assert trained.epochs[-1].train_loss < 0.1
    assert trained.epochs[-1].train_accuracy == 1
    assert not network.training


def test_without_frozen_blocks_every_block_is_trained(tmp_path):
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settings = replace(SETTINGS, epochs=1, unfreeze=19)

    trained = train_network(network, dataset_of_films(), settings, tmp_path, Silent())

    assert changed_blocks(network, before) == set(range(19))
    assert trained.views is None
    assert not network.training


def test_frozen_blocks_are_the_same_after_training_and_the_others_are_not(tmp_path):
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    train_network(network, dataset_of_films(), replace(SETTINGS, epochs=1), tmp_path, Silent())

    assert changed_blocks(network, before) == {17, 18}
    assert not network.classifier[1].weight.equal(before["classifier.1.weight"])
    assert not network.classifier[1].bias.equal(before["classifier.1.bias"])


def test_the_plain_loop_trains_the_same_part_without_keeping_anything(tmp_path, progress: Remembering):
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    before = network.features[0][0].weight.clone()

    trained = train_network(
        network, dataset_of_films(), replace(SETTINGS, epochs=1), tmp_path, progress, keep_frozen=False
    )

    assert trained.views is None
    assert network.features[0][0].weight.equal(before)
    assert not any("training images" in task for task, _ in progress.tasks)


def test_every_epoch_is_a_bar_of_its_batches_with_loss_and_accuracy(tmp_path, progress: Remembering):
    network = find_architecture("mobilenet_v2").build(2)

    train_network(network, dataset_of_films(), SETTINGS, tmp_path, progress)

    epochs = [task for task in progress.tasks if task[0].startswith("Epoch")]
    assert epochs == [("Epoch 1/3", 5), ("Epoch 2/3", 5), ("Epoch 3/3", 5)]
    assert progress.notes[-1].startswith("loss ")
    assert "accuracy" in progress.notes[-1]


def test_patient_threads_leave_the_environment_of_later_processes_alone(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)

    patient_threads.load_torch()

    assert "OMP_WAIT_POLICY" not in patient_threads.os.environ
