"""One network trained on one data set: which part is kept, which trained. It knows no files, no options."""

from dataclasses import dataclass
from pathlib import Path

import torch

from models.dataset import Dataset
from models.network import ImageClassifier, split_network
from models.progress import Progress
from models.records import Epoch
from models.training.augmentation import Augmentation
from models.training.batches import Batches, LiveImages
from models.training.frozen_features import FeatureKeeper
from models.training.loop import rarity_weights, train
from models.training.settings import TrainingSettings


@dataclass(frozen=True)
class TrainedRun:
    """How it went; `views` is None where nothing was frozen and so nothing kept."""

    epochs: tuple[Epoch, ...]
    best_epoch: int
    views: int | None
    class_weights: tuple[float, ...]


def train_network(
    network: ImageClassifier,
    dataset: Dataset,
    settings: TrainingSettings,
    scratch: Path,
    progress: Progress,
    keep_frozen: bool = True,
) -> TrainedRun:
    """Train `network` in place. `scratch`: a folder for kept features that do not fit into memory.

    `keep_frozen=False` sends every image through the frozen part again in every epoch, augmented anew: the
    plain loop, to compare with.
    """
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parts = split_network(network, settings.unfreeze)
    keeps = keep_frozen and parts.frozen_blocks > 0
    keeper = FeatureKeeper(parts.frozen, scratch, settings.batch_size, progress)
    augmentation = Augmentation(settings.rotation_degrees, settings.flip)
    validation = keeper.keep_plain(dataset.validation, "Frozen part on validation images")
    batches: Batches
    if keeps:
        generator = torch.Generator().manual_seed(settings.seed)
        task = f"Frozen part on training images, {settings.views} views each"
        batches = keeper.keep_views(dataset.train, settings.views, augmentation, generator, task)
    else:
        batches = LiveImages(dataset.train, augmentation, settings.batch_size, parts.frozen)
    weights = rarity_weights(dataset.train.labels, len(dataset.classes))
    trained = train(parts.trained, batches, validation, weights, settings, progress)
    network.eval()
    views = settings.views if keeps else None
    return TrainedRun(trained.epochs, trained.best_epoch, views, tuple(weights.tolist()))
