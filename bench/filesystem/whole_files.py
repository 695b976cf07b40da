"""Files and folders that are written whole or not at all, and that replace only what edgefit wrote.

Which files edgefit wrote in a folder is asked of whoever knows what it holds.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from bench.errors import InputError
from bench.filesystem.deferred_signals import deferred_signals
from bench.filesystem.disk_errors import naming_what_filled, why_unread, why_unwritten
from bench.filesystem.exchange import exchange
from bench.filesystem.syncing import make_folder, sync_all, sync_folder
from bench.filesystem.trying import try_to_write
from bench.filesystem.unfinished import (
    OLD,
    PART,
    held,
    name_beside,
    names_beside,
    new_file,
    new_folder,
    sweep_parts,
)
from user_files.contents import LARGEST_RESULT, ContentError, content_of
from user_files.hashes import sha256_of
from user_files.path_kinds import bundle_around, own_folder_at
from user_files.path_names import why_unwritable

WrittenFiles = Callable[[Path], Mapping[str, str | None] | None]
"""Returns the files that edgefit wrote in a folder: their SHA-256 by path, None for the record that lists the
others. Returns None for a folder without such a result."""

# The errors of a rename if another writer was faster.
_CHANGED_MEANWHILE = (errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR)
_RACES = 20
# How long another command may lock what it replaces.
_TRIES = 300
_WAIT_S = 0.1


def files_below(folder: Path) -> Iterator[str]:
    """Yield the path, relative to `folder`, of everything in it except folders; also links and pipes."""
    for here, folders, names in os.walk(folder, onerror=_raise):
        linked = [name for name in folders if os.path.islink(os.path.join(here, name))]
        folders.sort()
        for name in sorted([*names, *linked]):
            yield Path(here, name).relative_to(folder).as_posix()


def _raise(error: OSError) -> None:
    raise InputError(why_unread(error, error.filename)) from None


def write_whole(path: Path, content: str | bytes) -> None:
    """Write `content`, text in UTF-8, to `path`; see whole_file."""
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file with a temporary name, which gets the name `path` when the block ends.

    A link stays a link. After the block the content survives a power loss.

    Raises OSError with the name `path`, because the error of a full disk names no file.
    """
    path = Path(os.path.realpath(path))
    missing, part = _missing_above(path), name_beside(path, PART)
    try:
        _make_folder_of(path)
        sweep_parts(path)
        with new_file(part) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):  # a name that is too long cannot be there
            part.unlink(missing_ok=True)
        _remove_empty(missing)
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise


@contextmanager
def whole_folder(
    target: Path, written: WrittenFiles, overwrite: bool = False, option: str = "--out"
) -> Iterator[Path]:
    """Yield a new folder that becomes `target` when the block ends, and is deleted if it raises.

    With `overwrite` it replaces an earlier result, which stays until the new one is complete. Only files that
    `written` names are deleted: a folder with any other file is refused (InputError). What killed processes
    left of `target` is deleted, or put back if `target` is missing.
    """
    if (reason := why_unwritable(target)) is not None:
        raise InputError(f"{option} {target}: {reason}, or choose another {option}")
    _sweep(target, written)
    with _held_still(target):
        refuse_to_overwrite(target, written, overwrite, option)
    if not overwrite:
        _refuse_second_writer(target, option)
    missing, part = _missing_above(target), name_beside(target, PART)
    try:
        _make_folder_of(target)
        with new_folder(part):
            with naming_what_filled(part, target):
                yield part
                sync_all(part)
            _put(part, target, written, overwrite, option)
    except BaseException:
        with deferred_signals(), suppress(InputError, OSError):
            shutil.rmtree(part, ignore_errors=True)
            _sweep(target, written)
        _remove_empty(missing)
        raise


def _refuse_second_writer(target: Path, option: str) -> None:
    """Raise InputError if another process is making the same: before long work instead of after it."""
    for part in names_beside(target, PART):
        with held(part) as is_abandoned:
            if is_abandoned is False and not part.name.startswith(f".{target.name}.{os.getpid()}-"):
                raise InputError(
                    f"{target}: another command is making it; wait until it ends, or choose another {option}"
                )


@contextmanager
def _held_still(target: Path) -> Iterator[None]:
    """Keep other commands from replacing a folder while the block runs; wait for one that is at it."""
    for _ in range(_TRIES):
        if target.is_symlink() or not target.is_dir():
            yield
            return
        with held(target) as is_mine:
            if is_mine is not False:
                yield
                return
        time.sleep(_WAIT_S)
    raise _busy(target)


def _put(part: Path, target: Path, written: WrittenFiles, overwrite: bool, option: str) -> None:
    """Put `part` in the place of `target`; after any interruption one of the two is there."""
    for _ in range(_RACES):
        with _held_still(target):
            refuse_to_overwrite(target, written, overwrite, option)  # another command may have been faster
            with deferred_signals():
                if _try_to_put(part, target, written, overwrite, option):
                    return
    raise _busy(target)


def _busy(target: Path) -> InputError:
    return InputError(f"{target}: another command is writing there; wait until it ends, and try again")


def _try_to_put(part: Path, target: Path, written: WrittenFiles, overwrite: bool, option: str) -> bool:
    """Return False, with nothing changed, if another process has written there meanwhile."""
    try:
        if target.exists() and any(target.iterdir()):
            return overwrite and _replace(part, target, written, option)
        part.rename(target)  # the kernel refuses if the folder is not empty by now
        sync_folder(target.parent)
    except OSError as error:
        if error.errno in _CHANGED_MEANWHILE:
            return False
        raise InputError(why_unwritten(error, target)) from error
    return True


def _replace(part: Path, target: Path, written: WrittenFiles, option: str) -> bool:
    """Exchange the two, and exchange them back if the old one contains other files by now."""
    old = part.with_suffix(OLD)
    part.rename(old)
    try:
        aside = exchange(old, target)
    except OSError:
        old.rename(part)
        raise
    try:
        _refuse_foreign(aside, written(aside) or {}, option)
    except (InputError, OSError):
        exchange(aside, target).rename(part)
        return False
    sync_folder(target.parent)
    _settle(aside, target, written)
    return True


def _sweep(target: Path, written: WrittenFiles) -> None:
    """Delete what killed processes left of `target`; put a complete result back if `target` is missing."""
    for old in names_beside(target, OLD):
        with held(old) as is_abandoned:
            if is_abandoned and old.is_dir():
                _settle(old, target, written)
    sweep_parts(target)


def _settle(old: Path, target: Path, written: WrittenFiles) -> None:
    """Delete the earlier `target`, or put it back if `target` is missing."""
    files = written(old)
    if files is not None and not os.path.lexists(target):
        old.rename(target)
        return
    _remove_written(old, files or {})
    if old.exists():
        left = next(files_below(old), "folders")
        raise InputError(
            f"{old} contains the earlier {target}, and {left}, which edgefit did not write or cannot"
            " delete; move it away, and delete the folder"
        )


def _remove_written(folder: Path, files: Mapping[str, str | None]) -> None:
    """Delete the files that edgefit wrote, the record that lists them last, and empty folders.

    A loss of power meanwhile does not leave files without the record.
    """
    paths = sorted(files_below(folder), key=lambda path: files.get(path) is None)
    with suppress(OSError):  # the caller checks whether something is left
        for path in paths:
            if _was_written(folder / path, path, files):
                if files[path] is None:
                    _sync_folders(folder)
                (folder / path).unlink()
        for here, _, _ in os.walk(folder, topdown=False):
            os.rmdir(here)


def _sync_folders(folder: Path) -> None:
    for here, _, _ in os.walk(folder):
        sync_folder(Path(here))


def _was_written(place: Path, path: str, files: Mapping[str, str | None]) -> bool:
    if path not in files or place.is_symlink() or not place.is_file():
        return False
    sha256 = files[path]
    return sha256 is None or sha256_of(place) == sha256


def _refuse_foreign(folder: Path, files: Mapping[str, str | None], option: str) -> None:
    """Raise InputError for the first file in `folder` that edgefit did not write."""
    for path in files_below(folder):
        if not _was_written(folder / path, path, files):
            what = "was changed after edgefit wrote it" if path in files else "was not written by edgefit"
            raise InputError(f"{folder / path} {what}; move it away, or choose another {option}")


def _missing_above(path: Path) -> list[Path]:
    """Return the folders above `path` that do not exist yet, the innermost first."""
    return [folder for folder in path.absolute().parents if not folder.exists()]


def _make_folder_of(path: Path) -> None:
    refuse_unwritable(path)
    try:
        make_folder(path.parent)
    except OSError as error:
        raise InputError(why_unwritten(error, path)) from None


def _remove_empty(folders: Iterable[Path]) -> None:
    """Delete those of the folders that are empty; the innermost has to be the first."""
    with deferred_signals():
        for folder in folders:
            with suppress(OSError):  # it was never made, or another process has written something there
                folder.rmdir()


def refuse_unwritable(path: Path) -> None:
    """Raise InputError if `path` cannot be written, before long work instead of after it."""
    try:
        there = next(folder for folder in path.absolute().parents if folder.exists())
        try_to_write(there)
        with suppress(FileNotFoundError):  # the hidden name is longer, and some are too long
            (there / name_beside(path, PART).name).lstat()
    except OSError as error:
        raise InputError(why_unwritten(error, path)) from None


def refuse_to_replace(path: Path, is_ours: Callable[[bytes], bool], option: str) -> None:
    """Raise InputError unless `path` can be written: it is free, empty, or a file that edgefit wrote.

    `is_ours` gets the present content; `option` is the command line's option, for the sentence. Unfinished
    files that killed processes left are deleted.
    """
    sweep_parts(Path(os.path.realpath(path)))
    refuse_unwritable(path)  # first: what lies in a folder that must not be searched cannot be told
    _refuse_inside_bundle(path, option)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give {option} the name of a file, such as one in it")
    if path.exists() and not (path.is_file() and (not path.stat().st_size or _is_ours(path, is_ours))):
        raise InputError(f"{path} already exists and was not written by edgefit; choose another {option}")


def _refuse_inside_bundle(path: Path, option: str) -> None:
    """Raise InputError for a place in a bundle, which cannot be read with a file that it does not list."""
    if (bundle := bundle_around(path)) is not None:
        raise InputError(
            f"{path} lies in the bundle {bundle}, which may have no other file; choose another {option}"
        )


def _is_ours(path: Path, is_ours: Callable[[bytes], bool]) -> bool:
    """Tell whether edgefit wrote a file; it writes none that is too large to be read."""
    try:
        return is_ours(content_of(path, LARGEST_RESULT))
    except ContentError:
        return False


def refuse_to_overwrite(target: Path, written: WrittenFiles, overwrite: bool, option: str = "--out") -> None:
    """Raise InputError unless `target` is free or empty, or contains only edgefit's files and `overwrite`.

    `option` is the command line's option, for the sentence.
    """
    _refuse_inside_bundle(target, option)
    if target.is_symlink():
        raise InputError(f"{target} is a symbolic link; give {option} the folder itself")
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError(f"{target} is a file, but {option} must be a folder; choose another {option}")
    if target.resolve() == Path.cwd():
        raise InputError(
            f"{target} is the current folder; give {option} a new one, such as {target / 'result'}"
        )
    if target.is_mount():
        raise InputError(
            f"{target} is a mount point; give {option} a new folder, such as {target / 'result'}"
        )
    if not any(target.iterdir()):
        return
    if (files := written(target)) is None:
        own = own_folder_at(target)
        what = "something else" if own is None else f"{own.what}, which this edgefit does not replace here"
        raise InputError(f"{target} already contains {what}; choose another {option}")
    if not overwrite:
        raise InputError(f"{target} already contains a result; add --overwrite, or choose another {option}")
    _refuse_foreign(target, files, option)
