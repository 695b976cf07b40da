"""What was trained, from what and on what, in records and in sentences. It decides nothing, reads no file."""

import numpy as np
import torch

from models.dataset import Dataset, Split
from models.network import Architecture
from models.records import DataRecord, SplitCounts, TrainingRecord, WeightsRecord
from models.starting_weights import StartingWeights
from models.training.averaging import DECAY
from models.training.run import TrainedRun
from models.training.settings import TrainingSettings


def describe_weights(weights: StartingWeights, head_kept: bool) -> WeightsRecord:
    """The weights by name and hash."""
    return WeightsRecord(
        kind=weights.kind.value, name=weights.name, sha256=weights.sha256, head_kept=head_kept
    )


def describe_data(source: str, dataset: Dataset) -> DataRecord:
    """The data by what they were called, how many of each class there are, and how they were split."""
    counts = SplitCounts(
        train=_count(dataset.train, dataset),
        validation=_count(dataset.validation, dataset),
        test=_count(dataset.test, dataset),
    )
    return DataRecord(source=source, name=dataset.name, counts=counts, notes=dataset.notes)


def _count(split: Split, dataset: Dataset) -> tuple[int, ...]:
    return tuple(int(np.sum(split.labels == label)) for label in range(len(dataset.classes)))


def describe_training(
    settings: TrainingSettings, trained: TrainedRun, architecture: Architecture, seconds: float
) -> TrainingRecord:
    """The settings used, and how it went."""
    return TrainingRecord(
        epochs=settings.epochs,
        epochs_run=len(trained.epochs),
        best_epoch=trained.best_epoch,
        stopped_early=len(trained.epochs) < settings.epochs,
        unfreeze=settings.unfreeze,
        frozen_blocks=architecture.blocks - settings.unfreeze,
        blocks=architecture.blocks,
        views=trained.views,
        seed=settings.seed,
        flip=settings.flip,
        rotation_degrees=settings.rotation_degrees,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        patience=settings.patience,
        class_weights=trained.class_weights,
        optimizer=f"Adam, running mean of the weights (decay {DECAY})",
        schedule="cosine annealing to 0, per batch",
        threads=torch.get_num_threads(),
        seconds=round(seconds, 1),
    )


def say_data(dataset: Dataset) -> list[str]:
    """How the data were split, and what came of it."""
    train, validation, test = len(dataset.train), len(dataset.validation), len(dataset.test)
    sizes = f"{train} training, {validation} validation, {test} test images"
    return [*dataset.notes, f"Data: {dataset.name}, {sizes}; classes {', '.join(dataset.classes)}"]


def say_start(
    weights: StartingWeights, head_kept: bool, settings: TrainingSettings, architecture: Architecture
) -> list[str]:
    """Which weights training starts from, and what of them it will change."""
    digest = f" (sha256 {weights.sha256[:12]})" if weights.sha256 else ""
    head = "its head fits and is kept" if head_kept else "new head"
    frozen = architecture.blocks - settings.unfreeze
    kept = f"the first {frozen} stay frozen" if frozen else "nothing stays frozen"
    blocks = f"the last {settings.unfreeze} of {architecture.blocks} feature blocks"
    return [
        f"Starting weights: {weights.name}{digest}, {head}",
        f"Training {blocks} and the classifier for at most {settings.epochs} epochs; {kept}",
    ]
