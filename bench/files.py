"""Files and folders that appear whole or not at all. It knows nothing of what they hold."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.errors import InputError


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_whole(path: Path, text: str) -> None:
    """Write `text` to `path` under a temporary name, then rename it into place."""
    temporary = _beside(path)
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(target: Path, marker: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield a new folder that becomes `target` when the block ends, and vanishes if it raises.

    `marker` is the file that makes a folder one of ours (`manifest.json`): with `overwrite` such a
    folder is replaced; a folder that holds anything else is refused, always (InputError).
    """
    refuse_to_overwrite(target, marker, overwrite)
    missing = [folder for folder in target.absolute().parents if not folder.exists()]
    temporary = _beside(target)
    try:
        temporary.mkdir()
        yield temporary
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in missing:
            folder.rmdir()
        raise


def _beside(path: Path) -> Path:
    """Return a hidden name of this process's own on the same file system; its folder is made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written there ({error.strerror}); choose another --out"
        ) from None
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def refuse_to_overwrite(target: Path, marker: str, overwrite: bool) -> None:
    """Raise InputError unless `target` is free, empty, or ours and to be overwritten."""
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError(f"{target}: is a file, but a folder is to be written there; choose another --out")
    if not any(target.iterdir()):
        return
    if not (target / marker).is_file():
        raise InputError(f"{target}: already holds something else; choose another --out")
    if not overwrite:
        raise InputError(f"{target}: already holds a result; add --overwrite, or choose another --out")
