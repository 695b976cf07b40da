"""The records of a run folder. They know the shape of its JSON files, and nothing of files or training."""

import json
from typing import Literal

from pydantic import ConfigDict, Field

from models.schema1 import upgraded
from user_files.checked_record import CheckedRecord
from user_files.json_text import json_of
from user_files.text import utf8_of

SCHEMA: Literal[2] = 2
EIGHT_BIT_WHITE = 255


class Record(CheckedRecord):
    """Frozen and strict; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class MetricEstimate(Record):
    """A figure with its uncertainty."""

    value: float
    """The figure."""
    ci95: tuple[float, float] | None
    """Its 95 % confidence interval; null if the method gives none."""


class ClassEvaluation(Record):
    """How well a network classifies the images of one class. A figure is null where it is undefined."""

    images: int
    """How many images the class has."""
    recall: float | None
    """The share of its images that are classified correctly."""
    precision: float | None
    """The share of the images that are classified as this class that are of it."""
    f1: float | None
    """The harmonic mean of precision and recall."""
    auc: float | None
    """The area under the ROC curve of this class against all others."""


class SplitEvaluation(Record):
    """How well a network classifies the images of one split.

    With two classes, the run's `positive_class` is the positive one.
    """

    images: int
    """How many images the split has."""
    accuracy: MetricEstimate
    """The share of images that are classified correctly."""
    auc: MetricEstimate | None
    """The area under the ROC curve; for several classes the mean of each against all others, without the
    classes that have no image; null if undefined."""
    sensitivity: MetricEstimate | None
    """The share of positive images that are classified correctly; null if it is undefined."""
    specificity: MetricEstimate | None
    """The share of negative images that are classified correctly; null if it is undefined."""
    confusion: tuple[tuple[int, ...], ...]
    """How many images of a true class (row) got a predicted class (column); empty with more than 100
    classes."""
    methods: dict[str, str]
    """The method behind each figure, by the figure's name."""
    notes: tuple[str, ...] = ()
    """Why figures or intervals are null."""
    by_class: tuple[ClassEvaluation, ...] = ()
    """The figures of each class, in the order of the labels; earlier versions wrote none."""
    confused: tuple[tuple[int, int, int], ...] = ()
    """The most frequent confusions, at most 50: the true class, the predicted one, and how many images."""
    confused_pairs: int = 0
    """How many pairs of classes are confused."""


class Metrics(Record):
    """The figures of the trained network."""

    validation: SplitEvaluation
    """On the validation images, which chose the best epoch."""
    test: SplitEvaluation
    """On the test images, which influenced nothing."""


class WeightsRecord(Record):
    """The weights that training started from."""

    kind: Literal["imagenet", "bundled", "none", "file"]
    """Where they come from."""
    name: str
    """Their file's name; 'none' for random weights."""
    sha256: str | None
    """Their file's SHA-256 in hexadecimal; null for random weights."""
    head_kept: bool
    """Whether their last layer fitted the classes and was used; otherwise it started from random weights."""
    notes: tuple[str, ...] = ()
    """What of their file was used, and what was changed: prefixes of names, a choice of several networks."""


class SplitCounts(Record):
    """How many images each class has, in the order of the classes."""

    train: tuple[int, ...]
    """In the training split."""
    validation: tuple[int, ...]
    """In the validation split."""
    test: tuple[int, ...]
    """In the test split."""


class DataRecord(Record):
    """The data that the network was trained and tested on."""

    source: str
    """The value of `--data`."""
    name: str
    """The data set's name."""
    counts: SplitCounts
    """How many images each class has in each split."""
    notes: tuple[str, ...]
    """How the images were split."""
    warnings: tuple[str, ...] = ()
    """What of the data is probably not meant so, such as files that were left out."""
    test_sources_sha256: str | None = None
    """The SHA-256 of the test images as they were before they were resized, in their order; null where it was
    not taken."""


class Preprocessing(Record):
    """All that happens to an image file before the network, in this order. It is the same for all images."""

    orientation: Literal["applied", "ignored"] = "ignored"
    """What becomes of the orientation that a file states; versions that wrote no such key ignored it."""
    sixteen_bit_divide_by: float = Field(default=257, gt=0)
    """A 16-bit value is divided by this, so that the one that counts as white becomes 255.

    257 makes 65535 white. Images that use 12 of the 16 bits are divided by 4095 ÷ 255.
    """
    transparency: Literal["ignored"] = "ignored"
    """What becomes of an alpha channel."""
    resize: Literal["squash"] = "squash"
    """To image_size by image_size pixels; the aspect ratio is not kept."""
    interpolation: Literal["bilinear"] = "bilinear"
    """How pixels are interpolated, by Pillow's names."""
    antialias: Literal[True] = True
    """Whether a smaller image is averaged from all pixels of the larger one, as Pillow does it."""
    stored_as: Literal["uint8"] = "uint8"
    """How the run folder holds the image then."""
    channels: Literal[3] = 3
    """The channels of the network's input; a grey image is repeated in them."""
    divide_by: Literal[255] = 255
    """An 8-bit value is divided by this, so that it is in [0, 1]. Normalisation is inside the network."""


class TrainingRecord(Record):
    """The settings of the training, and its course."""

    epochs: int
    """The most epochs to train."""
    epochs_run: int
    """How many epochs were trained."""
    best_epoch: int
    """The epoch whose weights are saved, counted from 1."""
    stopped_early: bool
    """Whether training ended before `epochs`, because the validation loss stopped falling."""
    unfreeze: int
    """How many of the last feature blocks were trained."""
    frozen_blocks: int
    """How many of the first feature blocks stayed frozen."""
    blocks: int
    """How many feature blocks the network has."""
    views: int | None
    """How many augmented views of each image were cached behind the frozen blocks; null if none were."""
    seed: int
    """The seed of everything random."""
    flip: bool
    """Whether images were flipped left to right at random."""
    rotation_degrees: float
    """The largest random rotation, in either direction."""
    batch_size: int
    """How many images a training step used."""
    learning_rate: float
    """The learning rate of the first step."""
    patience: int
    """After how many epochs without a lower validation loss training ended."""
    class_weights: tuple[float, ...]
    """The weight of each class in the loss."""
    optimizer: str
    """The optimiser, and the averaging of weights."""
    schedule: str
    """How the learning rate changed."""
    threads: int
    """How many threads torch used."""
    seconds: float
    """How long training took."""


class Epoch(Record):
    """The figures of one epoch. Training figures are means over its batches, during which weights changed."""

    epoch: int
    """The epoch's number, counted from 1."""
    learning_rate: float
    """The learning rate of its last step."""
    train_loss: float
    """The mean training loss."""
    train_accuracy: float
    """The mean training accuracy."""
    validation_loss: float
    """The loss on the validation images after the epoch."""
    validation_accuracy: float
    """The accuracy on the validation images after the epoch."""


class History(Record):
    """history.json: the course of the training."""

    schema_: Literal[1, 2] = Field(alias="schema")
    """The version of the format."""
    best_epoch: int
    """The epoch whose weights are saved, counted from 1."""
    epochs: tuple[Epoch, ...]
    """The figures of every epoch."""


class RunRecord(Record):
    """run.json: what was trained, from which weights, on which data, and how well it classifies.

    Schema 1 is read for ever; 2 is what is written.
    """

    schema_: Literal[1, 2] = Field(alias="schema")
    """The version of the format."""
    tool: str
    """The version of edgefit that wrote it."""
    name: str
    """The run's name."""
    created: str
    """When it was written, in ISO 8601."""
    arch: str
    """The network's architecture."""
    classes: tuple[str, ...]
    """The names of the classes, in the order of their labels."""
    image_size: int
    """The side of the network's input in pixels."""
    weights: WeightsRecord
    """The weights that training started from."""
    data: DataRecord
    """The data."""
    preprocessing: Preprocessing
    """How an image file becomes the network's input."""
    training: TrainingRecord
    """The settings of the training, and its course."""
    metrics: Metrics
    """How well the network classifies."""
    files: dict[str, str]
    """The SHA-256 of every other file of the run folder, by name."""
    positive_class: int | None = Field(default=None, ge=0)
    """The label of the positive class, which sensitivity is about; null unless there are two classes. Runs of
    earlier versions do not state it: of their two classes, label 1 is the positive one."""

    @property
    def positive(self) -> int | None:
        """The label of the positive class; None unless there are two classes."""
        if len(self.classes) != 2:
            return None
        return 1 if self.positive_class is None else self.positive_class

    @property
    def positive_name(self) -> str | None:
        """The name of the positive class; None unless there are two classes."""
        return None if self.positive is None else self.classes[self.positive]

    @classmethod
    def from_json(cls, content: bytes) -> "RunRecord":
        """Read a `run.json` of any schema; raises ContentError, or ValidationError with keys of schema 2."""
        content = utf8_of(content)
        record = json_of(content)
        if isinstance(record, dict):
            content = json.dumps(upgraded(record)).encode()
        return cls.of_json(content)
