"""Describes a training in records and in sentences. It decides nothing and reads no file."""

import numpy as np
import torch

from models.architecture import Architecture
from models.dataset import Dataset, Split
from models.records import DataRecord, SplitCounts, TrainingRecord, WeightsRecord
from models.starting_weights import StartingWeights
from models.training.averaging import DECAY
from models.training.run import TrainedRun
from models.training.settings import TrainingSettings
from user_files.wording import listed


def describe_weights(weights: StartingWeights, head_kept: bool, notes: tuple[str, ...]) -> WeightsRecord:
    """Return the record of the starting weights."""
    return WeightsRecord(
        kind=weights.kind.value, name=weights.name, sha256=weights.sha256, head_kept=head_kept, notes=notes
    )


def describe_data(source: str, dataset: Dataset) -> DataRecord:
    """Return the record of the data; `source` is the value of `--data`."""
    counts = SplitCounts(
        train=_count(dataset.train, dataset),
        validation=_count(dataset.validation, dataset),
        test=_count(dataset.test, dataset),
    )
    return DataRecord(
        source=source,
        name=dataset.name,
        counts=counts,
        notes=dataset.notes,
        warnings=dataset.warnings,
        test_sources_sha256=dataset.test.sources_sha256,
    )


def _count(split: Split, dataset: Dataset) -> tuple[int, ...]:
    return tuple(int(np.sum(split.labels == label)) for label in range(len(dataset.classes)))


def describe_training(
    settings: TrainingSettings, trained: TrainedRun, architecture: Architecture, seconds: float
) -> TrainingRecord:
    """Return the record of the training."""
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


def data_sentences(dataset: Dataset) -> list[str]:
    """Say what is wrong with the data, how they were split, and how many images each split has."""
    train, validation, test = len(dataset.train), len(dataset.validation), len(dataset.test)
    sizes = f"{train} training, {validation} validation, {test} test images"
    warnings = [f"warning: {sentence}" for sentence in dataset.warnings]
    positive = [] if dataset.positive is None else [dataset.positive.sentence]
    return [
        *warnings,
        *dataset.notes,
        *positive,
        f"Data: {dataset.name}, {sizes}; classes {listed(dataset.classes)}",
    ]


def start_sentences(
    weights: StartingWeights, head_kept: bool, settings: TrainingSettings, architecture: Architecture
) -> list[str]:
    """Say which weights training starts from, and which part of the network it changes."""
    digest = f" (sha256 {weights.sha256[:12]})" if weights.sha256 else ""
    head = "with their head, which has as many classes" if head_kept else "with a new head"
    frozen = architecture.blocks - settings.unfreeze
    rest = f"the first {frozen} stay frozen" if frozen else "no block stays frozen"
    blocks = f"the last {settings.unfreeze} of {architecture.blocks} feature blocks"
    return [
        f"Starting weights: {weights.name}{digest}, {head}",
        f"Training {blocks} and the classifier for at most {settings.epochs} epochs; {rest}",
    ]
