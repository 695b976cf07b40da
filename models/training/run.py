"""Trains one network on one data set: decides which part is cached and which is trained.

It knows no options.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from models.dataset import Dataset
from models.network import ImageClassifier, split_network
from models.progress import Progress
from models.records import Epoch
from models.training.augmentation import Augmentation
from models.training.batch_memory import at_once, bytes_per_image
from models.training.batches import Batches, LiveImages
from models.training.frozen_features import CachedFeatures, FeatureCache
from models.training.loop import rarity_weights, train
from models.training.settings import TrainingSettings


@dataclass(frozen=True)
class TrainedRun:
    """The course of a training, and what was chosen for it."""

    epochs: tuple[Epoch, ...]
    """The figures of every epoch."""
    best_epoch: int
    """The epoch whose weights the network has now, counted from 1."""
    views: int | None
    """How many augmented views of each image were cached; None if none were."""
    class_weights: tuple[float, ...]
    """The weight of each class in the loss."""


def train_network(
    network: ImageClassifier,
    dataset: Dataset,
    settings: TrainingSettings,
    scratch: Path,
    progress: Progress,
    cache_frozen: bool = True,
) -> TrainedRun:
    """Train `network` in place. `scratch` is a folder for cached features that do not fit into memory.

    `cache_frozen=False` augments every image and runs it through the frozen part again in every epoch: this
    plain loop is for comparison.
    """
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    parts = split_network(network, settings.unfreeze)
    is_cached = cache_frozen and parts.is_cacheable and parts.frozen_blocks > 0
    cache = FeatureCache(parts.frozen, scratch, settings.batch_size, progress)
    augmentation = Augmentation(settings.rotation_degrees, settings.flip)
    validation = cache.cache_plain(dataset.validation, "Running the frozen blocks on validation images")
    batches: Batches
    if is_cached:
        generator = torch.Generator().manual_seed(settings.seed)
        task = f"Running the frozen blocks on training images, {settings.views} views each"
        batches = cache.cache_views(dataset.train, settings.views, augmentation, generator, task)
    else:
        batches = LiveImages(dataset.train, augmentation, settings.batch_size, parts.frozen)
    weights = rarity_weights(dataset.train.labels, len(dataset.classes))
    most = _at_once(parts.trained, validation, settings.batch_size, progress)
    trained = train(parts.trained, batches, validation, weights, settings, progress, most)
    network.eval()
    views = settings.views if is_cached else None
    return TrainedRun(trained.epochs, trained.best_epoch, views, tuple(weights.tolist()))


def _at_once(trained: nn.Module, features: CachedFeatures, batch_size: int, progress: Progress) -> int:
    """Return how many images of a batch are run at once, and say it if they are not all."""
    inputs, _ = next(features.in_order())
    each = bytes_per_image(trained, torch.cat([inputs[:1], inputs[-1:]]))
    most = at_once(each, batch_size)
    if most < batch_size:
        progress.say(
            f"Training on {batch_size} images at once would take {batch_size * each / 1e9:.1f} GB of memory, "
            f"so a batch is run in parts of {most} images or fewer, and batch norms see one part at a time"
        )
    return most
