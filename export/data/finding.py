"""Finds what `--data` names, by its content, and divides it in three sets. It decodes no image file."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.bundle.sample_sources import (
    USUAL_FUNCTION,
    samples_in_files,
    samples_of_function,
    tensor_files,
)
from bench.bundle.signature import Tensor
from bench.errors import InputError
from export.data.csv_files import list_csv
from export.data.folder import ListedFiles, list_folder
from export.data.images import LabelledImages
from export.data.listing import Listing, SampleLimits
from export.data.loader import CollectedTensors, collect
from export.data.named import NAMED, is_run_folder, list_named, list_run
from export.data.npz_images import list_npz
from export.data.readable import ArrayImages, FileImages
from export.data.sets import Sets, divided, refuse_too_few, without_common
from export.data.tensors import LabelledTensors
from models.progress import Progress, Silent
from models.sources.folder_content import refuse_dicom
from user_files.faults import why_unreadable
from user_files.finding import first_image, found_file
from user_files.missing_paths import missing_hint
from user_files.path_kinds import folder_without_data, path_kind
from user_files.zip_names import is_zip

USES = (
    "give a folder with a sub-folder per class, a CSV file with the columns path,label, an npz file with "
    f"MedMNIST's keys, a folder of images, or a function that yields arrays: FILE.py:{USUAL_FUNCTION}"
)


@dataclass(frozen=True)
class DataOptions:
    """What is known of the data before it is read."""

    classes: tuple[str, ...] = ()
    """The names of the classes in the order of the output; empty where nobody stated them."""
    inputs: tuple[Tensor, ...] = ()
    """The source's inputs, for ready inputs; an axis may be open."""
    image_side: int = 224
    """The side of images that are made or downloaded, in pixels."""
    limits: SampleLimits = field(default_factory=SampleLimits)
    """How many samples are read at most."""


def find_data(
    data: str, options: DataOptions | None = None, progress: Progress | None = None
) -> LabelledImages | LabelledTensors:
    """Return what `--data` names, in three sets that share no sample and no patient that is known.

    Of a user's function ready inputs are read, of everything else the labels alone; an npz file's chosen
    images are read as well. Raises InputError for whatever cannot be used.
    """
    wanted, bar = options or DataOptions(), progress or Silent()
    if data in NAMED:
        named = list_named(data, wanted.image_side, wanted.classes, bar)
        return _images(named.listing, wanted.limits, lambda _: named.images)
    if not data.strip():
        raise InputError(f"--data: {missing_hint(data)}")
    path = Path(data)
    if _is_function(data):
        return _of_function(data, wanted, bar)
    if is_run_folder(path):
        run = list_run(path, wanted.classes)
        return _images(run.listing, wanted.limits, lambda _: run.images)
    if path.is_dir():
        _refuse_own(path)
        return _of_folder(path, wanted, bar)
    refuse_missing_data(data)
    refuse_dicom([found_file(path)])
    _refuse_no_data(path)
    if is_zip(path):
        arrays = list_npz(path, wanted.classes)
        return _images(arrays.listing, wanted.limits, lambda sets: arrays.read(sets.every, bar))
    if path.suffix.lower() == ".npz":
        raise InputError(
            why_unreadable(path) or f"{path}: is cut off, damaged, or no npz file; copy it again, or {USES}"
        )
    return _of_files(list_csv(path, wanted.classes), wanted.limits)


def refuse_missing_data(data: str) -> None:
    """Raise InputError for data that is not there; whether it is data, its reader says."""
    path = Path(data)
    if data not in NAMED and not _is_function(data) and not path.is_file() and not path.is_dir():
        raise InputError(_complaint(data, path))


def _is_function(data: str) -> bool:
    file, colon, _ = data.rpartition(":")
    return data.endswith(".py") or (colon == ":" and file.endswith(".py"))


def _refuse_own(path: Path) -> None:
    """Raise InputError for a folder that edgefit wrote, or that has nothing in it."""
    kind = folder_without_data(path)
    if kind is not None:
        raise InputError(f"--data {path}: is {kind.what}, not data; {kind.remedy or USES}")


def _refuse_no_data(path: Path) -> None:
    """Raise InputError for a file that is known to be neither a table nor arrays."""
    kind = path_kind(path)
    if kind is not None and path.suffix.lower() not in (".npz", ".csv", ".tsv", ".txt"):
        raise InputError(f"--data {path}: is {kind.what}, not data; {kind.remedy or USES}")


def _complaint(data: str, path: Path) -> str:
    if path.exists():
        return f"--data {data}: is neither a file nor a folder; {USES}"
    close = difflib.get_close_matches(data, NAMED, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    remedy = missing_hint(data) or f"{hint}{USES}"
    return f"--data {data}: there is no such file or folder; {remedy}"


def _of_folder(path: Path, options: DataOptions, progress: Progress) -> LabelledImages | LabelledTensors:
    arrays = tensor_files(path)
    if not arrays or first_image(path) is not None:
        return _of_files(list_folder(path, options.classes), options.limits)
    return _tensors(
        collect(
            str(path),
            samples_in_files(arrays),
            options.inputs,
            options.limits.total,
            options.classes,
            progress,
        ),
        options.limits,
    )


def _of_function(data: str, options: DataOptions, progress: Progress) -> LabelledTensors:
    path, name = (data, USUAL_FUNCTION) if data.endswith(".py") else data.rsplit(":", 1)
    samples = samples_of_function(Path(path), name)
    where, limits = f"{path}:{name}", options.limits
    return _tensors(collect(where, samples, options.inputs, limits.total, options.classes, progress), limits)


def _tensors(collected: CollectedTensors, limits: SampleLimits) -> LabelledTensors:
    listing = collected.listing
    sets = divided(listing, limits)
    refuse_too_few(listing, sets, limits)
    return LabelledTensors(
        name=listing.name,
        pack=collected.pack,
        inputs=collected.inputs,
        labels=listing.labels,
        classes=listing.classes,
        calibration=sets.calibration,
        held_out=sets.held_out,
        evaluation=sets.evaluation,
        notes=(*listing.warnings, *sets.warnings, *listing.notes, *sets.notes, _counts(sets, len(listing))),
        warnings=(*listing.warnings, *sets.warnings),
        positive=listing.positive,
    )


def _of_files(listed: ListedFiles, limits: SampleLimits) -> LabelledImages:
    return _images(listed.listing, limits, lambda _: FileImages(listed.files))


def _images(
    listing: Listing, limits: SampleLimits, opened: Callable[[Sets], FileImages | ArrayImages]
) -> LabelledImages:
    planned = divided(listing, limits)
    refuse_too_few(listing, planned, limits)
    images = opened(planned)
    sets = _without_equal(images, planned)
    refuse_too_few(listing, sets, limits)
    return LabelledImages(
        name=listing.name,
        images=images,
        labels=listing.labels,
        classes=listing.classes,
        calibration=sets.calibration,
        held_out=sets.held_out,
        evaluation=sets.evaluation,
        notes=(*listing.warnings, *sets.warnings, *listing.notes, *sets.notes, _counts(sets, len(listing))),
        warnings=(*listing.warnings, *sets.warnings),
        positive=listing.positive,
    )


def _without_equal(images: FileImages | ArrayImages, sets: Sets) -> Sets:
    """Return the sets without images that are in a later set as well, byte by byte."""
    keys: list[str | None] = [None] * len(images)
    for index, key in zip(sets.every.tolist(), images.content_keys(sets.every.tolist()), strict=True):
        keys[index] = key
    different = without_common(sets, keys)
    equal = len(sets.every) - len(different.every)
    if not equal:
        return sets
    note = f"Images that are equal byte by byte are in one set alone: {equal} left out."
    return replace(different, warnings=(*sets.warnings, note))


def _counts(sets: Sets, total: int) -> str:
    return (
        f"Of {total} samples {len(sets.calibration)} are for calibration, {len(sets.held_out)} for comparing "
        f"int8 recipes and {len(sets.evaluation)} for evaluation."
    )
