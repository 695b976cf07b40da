"""The run folder: fine-tuning writes it and exporting reads it. It knows files and hashes, and no training.

`run.json` has the hashes of the others: `model.safetensors` (fp32 state dict), `history.json` (loss curves)
and `images.npz` (uint8 at network size: calibration images from the training split, held-out images from the
validation split, and the test split). torch is imported only to build the network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from models.architectures import find_architecture, is_known, known_architectures
from models.dataset import Split
from models.errors import InputError
from models.records import SCHEMA, History, Record, RunRecord
from user_files.arrays import ArraysError, ArrayTooLargeError, open_arrays
from user_files.contents import LARGEST_DOCUMENT, ContentError, content_of
from user_files.faults import why_changed, why_unreadable
from user_files.hashes import sha256_of
from user_files.path_names import why_unwritable
from user_files.versions import document_of, newer_schema, newer_tool

if TYPE_CHECKING:
    from models.network import ImageClassifier

RECORD = "run.json"
MODEL = "model.safetensors"
HISTORY = "history.json"
IMAGES = "images.npz"
HASHED = (MODEL, HISTORY, IMAGES)
SPLITS = ("calibration", "heldout", "test")
MOST_CALIBRATION_IMAGES = 512
MOST_HELD_OUT_IMAGES = 512


@dataclass(frozen=True)
class RunImages:
    """The images of a run folder."""

    calibration: Split
    """Images from the training split."""
    heldout: Split
    """Images from the validation split."""
    test: Split
    """The whole test split."""


@dataclass(frozen=True)
class RunFolder:
    """A run folder whose files are complete and unchanged."""

    folder: Path
    record: RunRecord
    history: History
    images: RunImages

    def network(self) -> "ImageClassifier":
        """Return the trained network in eval mode: float32 [n, 3, side, side] in [0, 1] to logits.

        Raises InputError if the weights cannot be read, or belong to another network or number of classes.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        architecture = find_architecture(self.record.arch, self.record.image_size)
        network = architecture.build(len(self.record.classes))
        try:
            network.load_state_dict(load_file(self.folder / MODEL))
        except (SafetensorError, OSError, RuntimeError) as error:
            raise InputError(
                f"{self.folder / MODEL} does not contain the weights of a {self.record.arch} with "
                f"{len(self.record.classes)} classes, which {RECORD} describes ({_last_line(error)}); "
                "run finetune again"
            ) from error
        return network.eval()


def write_images(folder: Path, images: RunImages) -> None:
    """Write `images.npz`."""
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for name in SPLITS:
        split: Split = getattr(images, name)
        arrays[f"{name}_images"], arrays[f"{name}_labels"] = split.images, split.labels
    np.savez(folder / IMAGES, allow_pickle=False, **arrays)


def write_history(folder: Path, history: History) -> None:
    """Write `history.json`."""
    _write_json(folder / HISTORY, history)


def write_record(folder: Path, record: RunRecord) -> None:
    """Write `run.json`, after all other files: a folder without it is not a run folder."""
    _write_json(folder / RECORD, record)


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file but `run.json`, by name."""
    return {name: sha256_of(folder / name) for name in HASHED}


def written_files(folder: Path) -> dict[str, str | None] | None:
    """Return the files of the run in `folder` by name, each with its SHA-256; None if it is not a run folder.

    The hash of `run.json` is recorded nowhere, so it is None: a valid content identifies it.
    """
    try:
        record = RunRecord.from_json(content_of(folder / RECORD, LARGEST_DOCUMENT))
    except (OSError, ContentError, ValidationError):
        return None
    return {**record.files, RECORD: None}


def _write_json(path: Path, record: Record) -> None:
    path.write_text(record.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")


def read_run(folder: Path) -> RunFolder:
    """Read a run folder; raises an InputError that names the file and what is wrong with it."""
    record = _read_record(folder)
    _check_files(folder, record)
    path = folder / HISTORY
    try:
        history = History.of_json(content_of(path, LARGEST_DOCUMENT))
    except ContentError as error:
        raise InputError(f"{path} {error}; run finetune again") from error
    except ValidationError as error:
        raise InputError(f"{path}: {_first_fault(error)}; run finetune again") from error
    return RunFolder(folder, record, history, _read_images(folder, record))


def _read_record(folder: Path) -> RunRecord:
    path = folder / RECORD
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the run folder that finetune wrote with --out")
    if (reason := why_unwritable(folder)) is not None:
        raise InputError(f"{folder}: {reason}")
    if not path.is_file():
        raise InputError(
            f"{folder} is not a run folder, because {RECORD} is missing; "
            "give the folder that finetune wrote with --out"
        )
    document: Mapping[str, Any] = {}
    try:
        content = content_of(path, LARGEST_DOCUMENT)
        document = document_of(content)
        if (newer := newer_schema(document, SCHEMA)) is not None:
            raise InputError(f"{path} {newer}")
        record = RunRecord.from_json(content)
    except ContentError as error:
        raise InputError(why_unreadable(path) or f"{path} {error}; run finetune again") from error
    except ValidationError as error:
        remedy = newer_tool(document) or "run finetune again"
        raise InputError(why_unreadable(path) or f"{path}: {_first_fault(error)}; {remedy}") from error
    if not is_known(record.arch):
        raise InputError(
            f"{path}: the key 'arch' is {record.arch!r}, which is not a known architecture; choose from: "
            f"{known_architectures()}; run finetune again"
        )
    if len(record.classes) < 2:
        raise InputError(
            f"{path}: the key 'classes' names {len(record.classes)} classes, but at least 2 are needed; "
            "run finetune again"
        )
    if record.positive_class is not None and record.positive_class >= len(record.classes):
        raise InputError(
            f"{path}: the key 'positive_class' is {record.positive_class}, which is not the label of "
            f"one of the {len(record.classes)} classes; run finetune again"
        )
    return record


def _last_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1].strip()


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    if key == "schema":
        return f"the key 'schema' is {fault['input']!r}, but this version of edgefit reads 1 to {SCHEMA}"
    return f"key '{key}': {fault['msg']}" if key else str(fault["msg"])


def _check_files(folder: Path, record: RunRecord) -> None:
    for name in HASHED:
        path = folder / name
        if name not in record.files:
            raise InputError(f"{folder / RECORD}: the key 'files' does not name {name}; run finetune again")
        if not path.is_file():
            raise InputError(f"{path} is missing from the run folder; run finetune again")
        if sha256_of(path) != record.files[name]:
            raise InputError(
                why_changed(path, record.files[name])
                or f"{path} was changed after finetune wrote it (the SHA-256 differs); run finetune again"
            )


def _read_images(folder: Path, record: RunRecord) -> RunImages:
    path = folder / IMAGES
    try:
        with open_arrays(path) as file:
            splits = {
                name: Split(file.read(f"{name}_images"), file.read(f"{name}_labels")) for name in SPLITS
            }
    except ArrayTooLargeError as error:
        raise InputError(f"{path}: {error}") from error
    except (OSError, ArraysError) as error:
        raise InputError(
            f"{path} does not contain the images and labels of {', '.join(SPLITS)}; run finetune again"
        ) from error
    for name, split in splits.items():
        fault = _fault_of(split, record)
        if fault:
            raise InputError(f"{path}: {name}_{fault}; run finetune again")
    _check_all_classes(path, splits["test"], record)
    return RunImages(**splits)


def _fault_of(split: Split, record: RunRecord) -> str | None:
    """Return what is wrong with the arrays, or None."""
    images, labels = split.images, split.labels
    shape = [len(labels) if labels.ndim else 0, record.image_size, record.image_size]
    if images.dtype != np.uint8 or list(images.shape) not in (shape, [*shape, 3]):
        return f"images is {images.dtype} {list(images.shape)}, but must be uint8 {shape} or {[*shape, 3]}"
    if labels.dtype != np.int64 or labels.ndim != 1 or not len(labels):
        return f"labels is {labels.dtype} {list(labels.shape)}, but must be int64 [n] with n of at least 1"
    outside = labels[(labels < 0) | (labels >= len(record.classes))]
    if len(outside):
        return f"labels: {int(outside[0])} is not a label of the {len(record.classes)} classes of {RECORD}"
    return None


def _check_all_classes(path: Path, test: Split, record: RunRecord) -> None:
    """Check that the test split has every class. Fine-tuning ensures it, so otherwise a file was edited."""
    absent = sorted(set(range(len(record.classes))) - set(test.labels.tolist()))
    if absent:
        raise InputError(
            f"{path} has no test image of class {absent[0]} ({record.classes[absent[0]]!r}), which "
            f"{RECORD} lists; run finetune again"
        )
