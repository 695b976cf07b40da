"""A made-up kind of result folder: `m` names the other files, each with its SHA-256."""

import json
from pathlib import Path

from bench.filesystem.whole_files import whole_folder
from user_files.hashes import sha256_of

RECORD = "m"
IMAGE = "images.npz"


def fill(folder: Path, **files: str) -> None:
    """Write some files and, last, the record that names them."""
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / RECORD).write_text(json.dumps({name: sha256_of(folder / name) for name in files}))


def make(folder: Path, **files: str) -> Path:
    """Make such a folder."""
    folder.mkdir(parents=True)
    fill(folder, **files)
    return folder


def written(folder: Path) -> dict[str, str | None] | None:
    """Tell which files are edgefit's."""
    try:
        return {**json.loads((folder / RECORD).read_text()), RECORD: None}
    except (OSError, ValueError):
        return None


def overwrite(target: Path, text: str = "new") -> None:
    """Put a result of two files in the place of an earlier one."""
    with whole_folder(target, written, overwrite=True) as folder:
        fill(folder, **{IMAGE: text, "b": text})


def names(folder: Path) -> list[str]:
    """Return what lies in a folder."""
    return sorted(path.name for path in folder.iterdir())
