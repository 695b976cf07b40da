"""Finds the loader for a value of `--data`. It knows the names of the sources, not how they work."""

import difflib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from models.errors import InputError
from models.sources.folder import prepare_folder, prepare_table
from models.sources.medmnist_files import NAMES, prepare_medmnist
from models.sources.npz import prepare_npz
from models.sources.options import Loader, SourceOptions
from models.sources.synthetic import prepare_synthetic
from user_files.image_tables import TABLE_SUFFIXES
from user_files.missing_paths import missing_hint
from user_files.path_kinds import folder_without_data, wrong_path

NAMED: dict[str, Callable[[SourceOptions], Loader]] = {
    "synthetic": prepare_synthetic,
    **{name: partial(prepare_medmnist, name) for name in NAMES},
}
_REMEDY = (
    "give synthetic, a set of MedMNIST such as pneumoniamnist or pathmnist, an .npz file, a CSV file, or a "
    "folder with one sub-folder per class"
)


def prepare_source(source: str, options: SourceOptions) -> Loader:
    """Do all cheap checks, and return the loader that reads the images; raises what `check_source` raises."""
    return check_source(source)(options)


def check_source(source: str) -> Callable[[SourceOptions], Loader]:
    """Return what prepares a source.

    Raises InputError for anything that is neither a name, an .npz file, a CSV file nor a folder.
    """
    if source in NAMED:
        return NAMED[source]
    path = Path(source)
    if path.is_dir() and source.strip():
        _refuse_own(source, path)
        return partial(prepare_folder, path)
    if path.suffix.lower() == ".npz" and path.is_file():
        return partial(prepare_npz, path)
    if path.suffix.lower() in TABLE_SUFFIXES and path.is_file():
        return partial(prepare_table, path)
    raise InputError(_complaint(source, path))


def _refuse_own(source: str, path: Path) -> None:
    """Raise InputError for a folder that edgefit wrote, or that has nothing in it."""
    kind = folder_without_data(path)
    if kind is not None:
        raise InputError(f"--data {source}: is {kind.what}, not images to train on; {kind.remedy or _REMEDY}")


def _complaint(source: str, path: Path) -> str:
    if path.suffix.lower() in (".dcm", ".dicom"):
        return f"--data {source}: DICOM is not supported; convert the images to PNG, one folder per class"
    if path.exists() and source.strip():
        return f"--data {source}: {wrong_path(path, 'an .npz file, a CSV file or a folder', _REMEDY)}"
    close = difflib.get_close_matches(source, NAMED, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return (
        f"--data {source} is neither a name of a source nor an existing file or folder; "
        f"{'; '.join(filter(None, (missing_hint(source), f'{hint}{_REMEDY}')))}"
    )
