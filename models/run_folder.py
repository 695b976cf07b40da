"""The run folder: what fine-tuning leaves and exporting takes. It knows files and hashes, not training.

`run.json` names and hashes the others: `model.safetensors` (fp32 state dict), `history.json` (loss curves)
and `images.npz` (uint8 at network size: calibration images from training, held-out ones from validation, the
test split). torch is imported only when the network is asked for.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from models.dataset import Split
from models.errors import InputError
from models.records import SCHEMA, History, Record, RunRecord

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
    """`calibration`: training images; `heldout`: validation images; `test`: the whole test split."""

    calibration: Split
    heldout: Split
    test: Split


@dataclass(frozen=True)
class Run:
    """A run folder whose files are all there and unchanged."""

    folder: Path
    record: RunRecord
    history: History
    images: RunImages

    def network(self) -> "ImageClassifier":
        """The trained network in eval mode: float32 [n, 3, side, side] in [0, 1] to logits."""
        from safetensors.torch import load_file

        from models.network import find_architecture

        network = find_architecture(self.record.arch).build(len(self.record.classes))
        network.load_state_dict(load_file(self.folder / MODEL))
        return network.eval()


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


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
    """Write `run.json`, last of all: a folder without it is no run folder."""
    _write_json(folder / RECORD, record)


def hash_files(folder: Path) -> dict[str, str]:
    """SHA-256 by name of the files that `run.json` vouches for."""
    return {name: hash_file(folder / name) for name in HASHED}


def _write_json(path: Path, record: Record) -> None:
    path.write_text(record.model_dump_json(by_alias=True, indent=2) + "\n", encoding="utf-8")


def read_run(folder: Path) -> Run:
    """Read a run folder, or raise an InputError that names the file and what is wrong with it."""
    record = _read_record(folder)
    _check_files(folder, record)
    try:
        history = History.model_validate_json((folder / HISTORY).read_bytes())
    except ValidationError as error:
        raise InputError(f"{folder / HISTORY}: {_first_fault(error)}; run finetune again") from error
    return Run(folder, record, history, _read_images(folder))


def _read_record(folder: Path) -> RunRecord:
    path = folder / RECORD
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the run folder that finetune wrote with --out")
    if not path.is_file():
        raise InputError(f"{folder}: no run folder, {RECORD} is missing; give what finetune wrote with --out")
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(f"{path}: {_first_fault(error)}; run finetune again") from error


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    if key == "schema":
        return f"schema {fault['input']!r} is not this version's {SCHEMA}"
    return f"key '{key}': {fault['msg']}" if key else str(fault["msg"])


def _check_files(folder: Path, record: RunRecord) -> None:
    for name in HASHED:
        path = folder / name
        if name not in record.files:
            raise InputError(f"{folder / RECORD}: key 'files' does not name {name}; run finetune again")
        if not path.is_file():
            raise InputError(f"{path}: missing from the run folder; run finetune again")
        if hash_file(path) != record.files[name]:
            raise InputError(
                f"{path}: changed since finetune wrote it (its SHA-256 differs); run finetune again"
            )


def _read_images(folder: Path) -> RunImages:
    with np.load(folder / IMAGES, allow_pickle=False) as archive:
        splits = {name: Split(archive[f"{name}_images"], archive[f"{name}_labels"]) for name in SPLITS}
    return RunImages(**splits)
