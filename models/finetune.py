"""Fine-tunes a network: a data source in, a run folder out. It knows the order of the steps only."""

from models import openmp_waiting  # noqa: F401 - before anything imports torch

# isort: split
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save

from models.architecture import Architecture
from models.architectures import find_architecture
from models.dataset import Dataset, Split
from models.description import (
    data_sentences,
    describe_data,
    describe_training,
    describe_weights,
    start_sentences,
)
from models.disk_space import reserve_files, taking
from models.evaluation import evaluate
from models.image_size import refuse_image_size
from models.memory_reuse import reused_memory
from models.network import ImageClassifier
from models.options import FinetuneOptions, check_options, check_unfreeze
from models.prediction import predict
from models.progress import Progress
from models.records import (
    EIGHT_BIT_WHITE,
    SCHEMA,
    History,
    Metrics,
    Preprocessing,
    RunRecord,
    SplitEvaluation,
    TrainingRecord,
    WeightsRecord,
)
from models.run_folder import (
    IMAGES,
    MODEL,
    MOST_CALIBRATION_IMAGES,
    MOST_HELD_OUT_IMAGES,
    RunImages,
    hash_files,
    write_history,
    write_images,
    write_record,
)
from models.sources.loaders import prepare_source
from models.sources.options import SPLIT_SEED, SourceOptions, refuse_warnings
from models.sources.splitting import sample_stratified
from models.starting_weights import (
    StartingWeights,
    apply_weights,
    head_note,
    load_starting_weights,
)
from models.training.run import TrainedRun, train_network
from models.training.settings import TrainingSettings, default_epochs
from models.weights_kind import WeightsKind

# What a file has beside its values: the names of the tensors, the labels of the images.
_HEADERS = 64 << 10


@dataclass(frozen=True)
class _Result:
    """A trained network with its records."""

    network: ImageClassifier
    trained: TrainedRun
    weights: WeightsRecord
    training: TrainingRecord


def finetune(
    options: FinetuneOptions, folder: Path, progress: Progress, tool: str, name: str, created: str
) -> RunRecord:
    """Fill the empty `folder` with a run and return its record.

    Raises InputError for options, data or weights that cannot be used, each as early as possible.
    `tool`, `name` and `created` (ISO 8601) are recorded as they are.
    """
    if options.max_threads is not None:
        torch.set_num_threads(min(options.max_threads, torch.get_num_threads()))
    check_options(options)
    architecture = find_architecture(options.arch, options.image_size)
    check_unfreeze(options.unfreeze, architecture.blocks)
    refuse_image_size(architecture, options.image_size)
    sources = SourceOptions(
        options.image_size, options.skip_bad, options.images, options.strict_data, options.positive
    )
    load_data = prepare_source(options.data, sources)
    weights = load_starting_weights(options.weights, architecture, progress)
    with torch.random.fork_rng(devices=[]):
        # Reading images takes long, so this checks first that the checkpoint fits, with any number of
        # classes.
        apply_weights(architecture.build(2), weights, architecture)
        dataset = load_data(progress)
        refuse_warnings(options.data, dataset.warnings, sources)
        _say(data_sentences(dataset), progress)
        settings = _choose_settings(options, architecture, weights.kind, len(dataset.train))
        torch.manual_seed(settings.seed)
        with reused_memory():
            result = _train(architecture, weights, dataset, settings, folder, progress)
            metrics = Metrics(
                validation=_evaluate(result.network, dataset, dataset.validation, "validation", progress),
                test=_evaluate(result.network, dataset, dataset.test, "test", progress),
            )
    _write_files(folder, result, dataset)
    record = RunRecord(
        schema=SCHEMA,
        tool=tool,
        name=name,
        created=created,
        arch=architecture.name,
        classes=dataset.classes,
        image_size=options.image_size,
        weights=result.weights,
        data=describe_data(options.data, dataset),
        preprocessing=Preprocessing(
            orientation="applied", sixteen_bit_divide_by=dataset.white / EIGHT_BIT_WHITE
        ),
        training=result.training,
        metrics=metrics,
        files=hash_files(folder),
        positive_class=None if dataset.positive is None else dataset.positive.label,
    )
    write_record(folder, record)
    return record


def _choose_settings(
    options: FinetuneOptions, architecture: Architecture, kind: WeightsKind, training_images: int
) -> TrainingSettings:
    """Replace missing options by the defaults for the weights."""
    unfreeze = architecture.unfreeze[kind] if options.unfreeze is None else options.unfreeze
    epochs = default_epochs(kind, training_images) if options.epochs is None else options.epochs
    return TrainingSettings(epochs, unfreeze, options.seed, options.flip)


def _say(sentences: list[str], progress: Progress) -> None:
    for sentence in sentences:
        progress.say(sentence)


def _train(
    architecture: Architecture,
    weights: StartingWeights,
    dataset: Dataset,
    settings: TrainingSettings,
    scratch: Path,
    progress: Progress,
) -> _Result:
    network = architecture.build(len(dataset.classes))
    _take_space(scratch, network, dataset)
    head_kept = apply_weights(network, weights, architecture)
    head = head_note(network, weights, architecture)
    notes = weights.notes if head is None else (*weights.notes, head)
    first, *rest = start_sentences(weights, head_kept, settings, architecture)
    _say([first, *notes, *rest], progress)
    began = time.perf_counter()
    trained = train_network(network, dataset, settings, scratch, progress)
    training = describe_training(settings, trained, architecture, time.perf_counter() - began)
    return _Result(network, trained, describe_weights(weights, head_kept, notes), training)


def _evaluate(
    network: ImageClassifier, dataset: Dataset, split: Split, name: str, progress: Progress
) -> SplitEvaluation:
    logits = predict(network, split.images, f"Evaluating {name} images", progress)
    positive = None if dataset.positive is None else dataset.positive.label
    return evaluate(logits, split.labels, len(dataset.classes), positive)


def _write_files(folder: Path, result: _Result, dataset: Dataset) -> None:
    """Write all files but run.json, which contains their hashes."""
    state = {name: value.contiguous() for name, value in result.network.state_dict().items()}
    (folder / MODEL).write_bytes(save(state))
    trained = result.trained
    write_history(folder, History(schema=SCHEMA, best_epoch=trained.best_epoch, epochs=trained.epochs))
    write_images(folder, _images(dataset))


def _images(dataset: Dataset) -> RunImages:
    calibration = sample_stratified(dataset.train.labels, MOST_CALIBRATION_IMAGES, SPLIT_SEED)
    held_out = sample_stratified(dataset.validation.labels, MOST_HELD_OUT_IMAGES, SPLIT_SEED)
    return RunImages(_take(dataset.train, calibration), _take(dataset.validation, held_out), dataset.test)


def _take_space(folder: Path, network: ImageClassifier, dataset: Dataset) -> None:
    """Make the large files at their sizes; raises InputError before hours of training without space."""
    images = _images(dataset)
    pixels = sum(split.images.nbytes for split in (images.calibration, images.heldout, images.test))
    weights = sum(value.nbytes for value in network.state_dict().values())
    sizes = {MODEL: weights + _HEADERS, IMAGES: pixels + _HEADERS}
    with taking(sum(sizes.values()), "the run folder", folder.parent):
        reserve_files(folder, sizes)


def _take(split: Split, chosen: npt.NDArray[np.int64]) -> Split:
    return Split(split.images[chosen], split.labels[chosen])
