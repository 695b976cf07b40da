"""What a run folder says about itself, as types. It knows JSON's shape, and nothing of files or training."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA: Literal[1] = 1


class Record(BaseModel):
    """Frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Estimate(Record):
    """A figure and its 95 % confidence interval; None where the method gives none."""

    value: float
    ci95: tuple[float, float] | None


class Evaluation(Record):
    """How a network did on one split.

    `auc`, `sensitivity` and `specificity` are None where they do not exist, and `notes` says why. Of two
    classes label 1 is the positive one. `confusion[true][predicted]` counts images.
    """

    images: int
    accuracy: Estimate
    auc: Estimate | None
    sensitivity: Estimate | None
    specificity: Estimate | None
    confusion: tuple[tuple[int, ...], ...]
    methods: dict[str, str]
    notes: tuple[str, ...] = ()


class Metrics(Record):
    """Validation figures chose the epoch; test figures chose nothing."""

    validation: Evaluation
    test: Evaluation


class WeightsRecord(Record):
    """Which weights training started from; `sha256` of their file, None for random ones."""

    kind: Literal["imagenet", "bundled", "none", "file"]
    name: str
    sha256: str | None
    head_kept: bool


class SplitCounts(Record):
    """Images by class, in the classes' order."""

    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]


class DataRecord(Record):
    """`source` as the user gave it; `notes`: how the data were split and what was passed over."""

    source: str
    name: str
    counts: SplitCounts
    notes: tuple[str, ...]


class Preprocessing(Record):
    """All that happens to an image file before the network, in this order."""

    sixteen_bit: str = "value / 65535"
    transparency: str = "ignored"
    resize: str = "to image_size x image_size, aspect ratio not kept"
    interpolation: str = "bilinear, antialiased (Pillow)"
    stored_as: str = "uint8"
    grey_to_rgb: str = "repeated in three channels"
    scale: str = "value / 255"
    layout: str = "NCHW float32 in [0, 1]"
    normalisation: str = "inside the network"


class TrainingRecord(Record):
    """The settings used, and how it went; `stopped_early`: before `epochs` were over."""

    epochs: int
    epochs_run: int
    best_epoch: int
    stopped_early: bool
    unfreeze: int
    frozen_blocks: int
    blocks: int
    views: int | None
    seed: int
    flip: bool
    rotation_degrees: float
    batch_size: int
    learning_rate: float
    patience: int
    class_weights: tuple[float, ...]
    optimizer: str
    schedule: str
    threads: int
    seconds: float


class Epoch(Record):
    """One epoch's figures; `train_` ones are means over its batches, while the network was changing."""

    epoch: int
    learning_rate: float
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float


class History(Record):
    """history.json: the loss curves."""

    schema_: Literal[1] = Field(alias="schema")
    best_epoch: int
    epochs: tuple[Epoch, ...]


class RunRecord(Record):
    """run.json: what was trained, from what, on what, how well. `files`: SHA-256 by name of all others."""

    schema_: Literal[1] = Field(alias="schema")
    tool: str
    name: str
    created: str
    arch: str
    classes: tuple[str, ...]
    image_size: int
    weights: WeightsRecord
    data: DataRecord
    preprocessing: Preprocessing
    training: TrainingRecord
    metrics: Metrics
    files: dict[str, str]
