"""Files and folders that appear whole or not at all. It knows nothing of what they hold."""

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.errors import InputError


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content`, text in UTF-8, to `path` under a temporary name, then rename it into place.

    A link stays one.

    Raises OSError, which names `path`: a full disk's own names no file.
    """
    path = Path(os.path.realpath(path))
    temporary = _beside(path)
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def whole_folder(target: Path, marker: str, overwrite: bool = False, option: str = "--out") -> Iterator[Path]:
    """Yield a new folder that becomes `target` when the block ends, and vanishes if it raises.

    `marker` is the file that makes a folder one of ours (`manifest.json`): with `overwrite` such a folder is
    replaced, and stays as it was until the new one is whole; a folder that holds anything else is refused,
    always (InputError).
    """
    refuse_to_overwrite(target, marker, overwrite, option)
    missing = [folder for folder in target.absolute().parents if not folder.exists()]
    temporary = _beside(target)
    try:
        temporary.mkdir()
        yield temporary
        refuse_to_overwrite(target, marker, overwrite, option)  # somebody else may have been faster
        _swap(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in missing:
            with suppress(OSError):  # somebody else has put something there meanwhile
                folder.rmdir()
        raise


def _swap(new: Path, target: Path) -> None:
    """Put `new` in the place of `target`; whatever interrupts this, one of the two stands there."""
    old = _beside(target).with_suffix(".old")
    if target.exists():
        target.rename(old)
    try:
        new.rename(target)
    except BaseException:
        if old.exists():
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path) -> Path:
    """Return a hidden name of this process's own on the same file system; its folder is made."""
    refuse_unwritable(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written there ({error.strerror}); choose another place"
        ) from None
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")


def refuse_unwritable(path: Path) -> None:
    """Raise InputError if nothing can be made at `path`, so that long work need not end in finding out."""
    there = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written there ({error.strerror}); choose another place"
        ) from None


def refuse_to_replace(path: Path, is_ours: Callable[[bytes], bool], option: str) -> None:
    """Raise InputError unless a file can be written at `path`: it is free, empty, or holds what is ours.

    `is_ours` is told the content; `option` names the command line's option in the sentence.
    """
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give {option} the name of a file")
    refuse_unwritable(path)
    if path.exists() and not (path.is_file() and (not path.stat().st_size or is_ours(path.read_bytes()))):
        raise InputError(f"{path}: is there already and holds something else; choose another {option}")


def refuse_to_overwrite(target: Path, marker: str, overwrite: bool, option: str = "--out") -> None:
    """Raise InputError unless `target` is free, empty, or ours and to be overwritten; `option` named it."""
    if target.is_symlink():
        raise InputError(f"{target}: is a symbolic link; give {option} the folder itself")
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError(f"{target}: is a file, but a folder is to be written there; choose another {option}")
    if target.resolve() == Path.cwd():
        raise InputError(
            f"{target}: is the folder you are in; give {option} a new one, such as {target / 'result'}"
        )
    if not any(target.iterdir()):
        return
    if not (target / marker).is_file():
        raise InputError(f"{target}: already holds something else; choose another {option}")
    if not overwrite:
        raise InputError(f"{target}: already holds a result; add --overwrite, or choose another {option}")
