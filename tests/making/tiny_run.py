"""A run folder whose network is sure of itself, made in seconds: random features and a fitted last layer."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from models.architectures import find_architecture
from models.dataset import Images, Labels, Split
from models.network import SequentialClassifier
from models.pixels import to_input, to_planes
from models.records import (
    DataRecord,
    Epoch,
    History,
    MetricEstimate,
    Metrics,
    Preprocessing,
    RunRecord,
    SplitCounts,
    SplitEvaluation,
    TrainingRecord,
    WeightsRecord,
)
from models.run_folder import MODEL, RunImages, hash_files, write_history, write_images, write_record

# Tests run at the same time: a second thread would wait, and spin, for a CPU that another test uses.
torch.set_num_threads(1)
SIDE = 64
CALIBRATION, HELD_OUT, TEST = 48, 8, 40
NOTE = "made of films; proves nothing clinical"


def make_tiny_run(folder: Path) -> Path:
    """Write a run folder of a MobileNetV2 that tells dark films from bright ones."""
    folder.mkdir(parents=True)
    images = RunImages(_films(CALIBRATION, 1), _films(HELD_OUT, 2), _films(TEST, 3))
    save_file(_fitted(images.calibration).state_dict(), folder / MODEL)
    write_images(folder, images)
    write_history(folder, _history())
    write_record(folder, run_record(hash_files(folder)))
    return folder


def _films(count: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    labels: Labels = np.arange(count, dtype=np.int64) % 2
    images: Images = random.integers(0, 40, (count, SIDE, SIDE), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image += np.uint8(random.integers(150, 200) if label else random.integers(0, 40))
    return Split(images, labels)


def _fitted(split: Split) -> SequentialClassifier:
    """Batch norms see the images once; the classifier then asks which class's mean is nearer."""
    torch.manual_seed(0)
    network = find_architecture("mobilenet_v2").build(2)
    assert isinstance(network, SequentialClassifier)
    inputs = to_input(to_planes(split.images))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
            # In the middle of ReLU6's range: a network that is nearly linear, so that what it knows survives.
            module.bias.data.fill_(3.0)
    with torch.no_grad():
        network.train()(inputs)
        network.eval()
        features = network.features(network.normalise(inputs)).mean(dim=(2, 3))
        bright = torch.from_numpy(split.labels).bool()
        middle, apart = features.mean(dim=0), features[bright].mean(dim=0) - features[~bright].mean(dim=0)
        direction = 2 * apart / apart.square().sum()
        network.state_dict()["classifier.1.weight"].copy_(torch.stack([-direction, direction]))
        network.state_dict()["classifier.1.bias"].copy_(network.state_dict()["classifier.1.weight"] @ -middle)
    return network


def _history() -> History:
    epoch = Epoch(
        epoch=1,
        learning_rate=0.0,
        train_loss=0.0,
        train_accuracy=1.0,
        validation_loss=0.0,
        validation_accuracy=1.0,
    )
    return History(schema=2, best_epoch=1, epochs=(epoch,))


def run_record(files: dict[str, str]) -> RunRecord:
    """The record of a run folder with these files."""
    evaluation = SplitEvaluation(
        images=HELD_OUT,
        accuracy=MetricEstimate(value=1.0, ci95=None),
        auc=None,
        sensitivity=None,
        specificity=None,
        confusion=((4, 0), (0, 4)),
        methods={},
    )
    halves = SplitCounts(
        train=(CALIBRATION // 2,) * 2, validation=(HELD_OUT // 2,) * 2, test=(TEST // 2,) * 2
    )
    return RunRecord(
        schema=2,
        tool="0",
        name="films",
        created="2026-01-01T00:00:00+00:00",
        arch="mobilenet_v2",
        classes=("dark", "bright"),
        image_size=SIDE,
        weights=WeightsRecord(kind="none", name="none", sha256=None, head_kept=False),
        data=DataRecord(source="films", name="films", counts=halves, notes=(NOTE,)),
        preprocessing=Preprocessing(),
        training=_training(),
        metrics=Metrics(validation=evaluation, test=evaluation),
        files=files,
    )


def _training() -> TrainingRecord:
    return TrainingRecord(
        epochs=1,
        epochs_run=1,
        best_epoch=1,
        stopped_early=False,
        unfreeze=0,
        frozen_blocks=19,
        blocks=19,
        views=None,
        seed=0,
        flip=False,
        rotation_degrees=0.0,
        batch_size=CALIBRATION,
        learning_rate=0.0,
        patience=1,
        class_weights=(1.0, 1.0),
        optimizer="none",
        schedule="none",
        threads=1,
        seconds=0.0,
    )
