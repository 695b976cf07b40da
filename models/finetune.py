"""Fine-tuning from source to run folder. It knows the order of the steps; each lives in a file of its own."""

from models import patient_threads  # noqa: F401 - before whatever imports torch

# isort: split

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save

from models.dataset import Dataset, Images, Split
from models.errors import InputError
from models.evaluation import evaluate
from models.network import Architecture, ImageClassifier, find_architecture
from models.pixels import to_input, to_planes
from models.progress import Progress
from models.records import (
    SCHEMA,
    DataRecord,
    Evaluation,
    History,
    Metrics,
    Preprocessing,
    RunRecord,
    SplitCounts,
    TrainingRecord,
    WeightsRecord,
)
from models.run_folder import (
    MODEL,
    MOST_CALIBRATION_IMAGES,
    MOST_HELD_OUT_IMAGES,
    RunImages,
    hash_files,
    write_history,
    write_images,
    write_record,
)
from models.sources.options import SPLIT_SEED, SourceOptions
from models.sources.splitting import sample_stratified
from models.sources.table import prepare_source
from models.starting_weights import StartingWeights, apply_weights, load_starting_weights, weights_kind
from models.training.run import TrainedRun, train_network
from models.training.settings import DEFAULT_EPOCHS, DEFAULT_UNFREEZE, TrainingSettings

IMAGE_SIZES = (32, 1024)
MOST_EPOCHS = 1000
FEWEST_SYNTHETIC_IMAGES = 50
CHUNK = 64


@dataclass(frozen=True)
class FinetuneOptions:
    """What the user may choose; `epochs` and `unfreeze` of None mean the default for the weights in use.

    `unfreeze`: how many of the last feature blocks are trained beside the classifier. `images`: how many to
    generate with `data` synthetic.
    """

    data: str
    arch: str = "mobilenet_v2"
    weights: str = "imagenet"
    image_size: int = 224
    epochs: int | None = None
    unfreeze: int | None = None
    seed: int = 0
    flip: bool = True
    skip_bad: bool = False
    images: int = 1000


def finetune(
    options: FinetuneOptions, folder: Path, progress: Progress, tool: str, name: str, created: str
) -> RunRecord:
    """Fine-tune into the empty `folder`, and return what its run.json says.

    Raises InputError for options, data or weights that cannot be used, as early as each can be found out.
    `tool`, `name` and `created` (ISO 8601) are recorded as given.
    """
    architecture = find_architecture(options.arch)
    settings = _choose_settings(options, architecture)
    load_data = prepare_source(
        options.data, SourceOptions(options.image_size, options.skip_bad, options.images)
    )
    weights = load_starting_weights(options.weights, architecture, progress)
    # Whether the checkpoint fits is found out before the long read, with any number of classes.
    apply_weights(architecture.build(2), weights, architecture)
    dataset = load_data(progress)
    _say_data(dataset, progress)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        network = architecture.build(len(dataset.classes))
        head_kept = apply_weights(network, weights, architecture)
        _say_weights(weights, head_kept, settings, architecture, progress)
        began = time.perf_counter()
        trained = train_network(network, dataset, settings, folder, progress)
        seconds = time.perf_counter() - began
    metrics = Metrics(
        validation=_evaluate(network, dataset, dataset.validation, "Evaluating validation images", progress),
        test=_evaluate(network, dataset, dataset.test, "Evaluating test images", progress),
    )
    _write_files(folder, network, trained, dataset)
    record = RunRecord(
        schema=SCHEMA,
        tool=tool,
        name=name,
        created=created,
        arch=architecture.name,
        classes=dataset.classes,
        image_size=options.image_size,
        weights=WeightsRecord(
            kind=weights.kind.value, name=weights.name, sha256=weights.sha256, head_kept=head_kept
        ),
        data=_describe_data(options, dataset),
        preprocessing=Preprocessing(),
        training=_describe_training(settings, trained, architecture, seconds),
        metrics=metrics,
        files=hash_files(folder),
    )
    write_record(folder, record)
    return record


def _choose_settings(options: FinetuneOptions, architecture: Architecture) -> TrainingSettings:
    """Check every number and fill in what was left open."""
    _check_range("--image-size", options.image_size, *IMAGE_SIZES)
    _check_range("--seed", options.seed, 0, 2**32 - 1)
    kind = weights_kind(options.weights)
    unfreeze = DEFAULT_UNFREEZE[kind] if options.unfreeze is None else options.unfreeze
    epochs = DEFAULT_EPOCHS if options.epochs is None else options.epochs
    _check_range("--unfreeze", unfreeze, 0, architecture.blocks)
    _check_range("--epochs", epochs, 1, MOST_EPOCHS)
    return TrainingSettings(epochs, unfreeze, options.seed, options.flip)


def _check_range(option: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"{option} {value}: out of range, give a whole number from {low} to {high}")


def _say_data(dataset: Dataset, progress: Progress) -> None:
    for note in dataset.notes:
        progress.say(note)
    sizes = f"{len(dataset.train)} training, {len(dataset.validation)} validation, {len(dataset.test)} test"
    progress.say(f"Data: {dataset.name}, {sizes} images; classes {', '.join(dataset.classes)}")


def _say_weights(
    weights: StartingWeights,
    head_kept: bool,
    settings: TrainingSettings,
    architecture: Architecture,
    progress: Progress,
) -> None:
    digest = f" (sha256 {weights.sha256[:12]})" if weights.sha256 else ""
    head = "its head fits and is kept" if head_kept else "new head"
    progress.say(f"Starting weights: {weights.name}{digest}, {head}")
    frozen = architecture.blocks - settings.unfreeze
    progress.say(
        f"Training the last {settings.unfreeze} of {architecture.blocks} feature blocks and the classifier "
        f"for at most {settings.epochs} epochs; the first {frozen} stay frozen"
    )


def _evaluate(
    network: ImageClassifier, dataset: Dataset, split: Split, task: str, progress: Progress
) -> Evaluation:
    logits = predict(network, split.images, task, progress)
    return evaluate(logits, split.labels, len(dataset.classes))


def predict(
    network: ImageClassifier, images: Images, task: str, progress: Progress
) -> npt.NDArray[np.float32]:
    """Logits [n, classes] of uint8 images at network size."""
    network.eval()
    progress.begin(task, len(images))
    parts = []
    for start in range(0, len(images), CHUNK):
        planes = to_planes(images[start : start + CHUNK])
        with torch.inference_mode():
            parts.append(network(to_input(planes)).numpy())
        progress.advance(len(planes))
    return np.concatenate(parts)


def _write_files(folder: Path, network: ImageClassifier, trained: TrainedRun, dataset: Dataset) -> None:
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    (folder / MODEL).write_bytes(save(state))
    write_history(folder, History(schema=SCHEMA, best_epoch=trained.best_epoch, epochs=trained.epochs))
    calibration = sample_stratified(dataset.train.labels, MOST_CALIBRATION_IMAGES, SPLIT_SEED)
    held_out = sample_stratified(dataset.validation.labels, MOST_HELD_OUT_IMAGES, SPLIT_SEED)
    images = RunImages(_take(dataset.train, calibration), _take(dataset.validation, held_out), dataset.test)
    write_images(folder, images)


def _take(split: Split, chosen: npt.NDArray[np.int64]) -> Split:
    return Split(split.images[chosen], split.labels[chosen])


def _describe_data(options: FinetuneOptions, dataset: Dataset) -> DataRecord:
    counts = SplitCounts(
        train=tuple(_count(dataset.train, dataset)),
        validation=tuple(_count(dataset.validation, dataset)),
        test=tuple(_count(dataset.test, dataset)),
    )
    return DataRecord(source=options.data, name=dataset.name, counts=counts, notes=dataset.notes)


def _count(split: Split, dataset: Dataset) -> Iterator[int]:
    for label in range(len(dataset.classes)):
        yield int(np.sum(split.labels == label))


def _describe_training(
    settings: TrainingSettings, trained: TrainedRun, architecture: Architecture, seconds: float
) -> TrainingRecord:
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
        optimizer="Adam",
        schedule="cosine annealing to 0, per batch",
        threads=torch.get_num_threads(),
        seconds=round(seconds, 1),
    )
