"""A model in a file of its own: what it is, all files that belong to it, and their hash.

Whatever is no such model is refused in one sentence, which says what it is and what to do. It knows no
runtime: whether one can load the model is not known here.
"""

import mmap
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.bundle.executorch_header import is_cut_off
from bench.bundle.file_kinds import (
    CORE_ML,
    EXECUTORCH,
    NCNN,
    ONNX,
    OPENVINO,
    SAVED_MODEL,
    TORCH_PROGRAM,
    FileKind,
    kind_of_file,
)
from bench.bundle.model_suffixes import SUFFIXES, TAKEN
from bench.bundle.onnx_graph import read_onnx_graph
from bench.bundle.referred_files import leads_outside, referred_files
from bench.bundle.variants import CONTROL_VARIANT, NULL_VARIANT
from bench.errors import InputError
from bench.filesystem.disk_errors import why_unread
from user_files.faults import why_replaced, why_unreadable
from user_files.hashes import sha256_of_files
from user_files.missing_paths import missing_hint
from user_files.path_kinds import own_folder_at, path_kind
from user_files.path_names import why_unwritable
from user_files.reading import reading

_MOST_NAMED = 3
_OTHERS = ("text, not a model", "a zip archive")
# OpenVINO's writer puts nothing after it, and other writers hardly more.
_LAST_BYTES = 4096


@dataclass(frozen=True)
class ModelFile:
    """A model in a file, with the files that it stores its weights in."""

    path: Path
    """The file that a runtime loads, as it was given."""
    format: str
    """The name of its format, such as onnx."""
    files: tuple[Path, ...]
    """All files that belong to it, `path` first."""
    size_bytes: int
    """The size of all its files."""
    sha256: str
    """The file's SHA-256; of several files that of their own, in hexadecimal, in the order of `files`."""


def read_model_file(path: Path) -> ModelFile:
    """Recognise a model file by its content; raises InputError for everything else."""
    _refuse_no_text(path)
    try:
        kind = _kind_of(path)
        if kind.format is None:
            raise InputError(_refusal(path, _document(path, kind)))
        _refuse_damaged(path, kind)
        files = (path, *_further_files(path, kind))
        return ModelFile(
            path=path,
            format=kind.format,
            files=files,
            size_bytes=sum(file.stat().st_size for file in files),
            sha256=sha256_of_files(files),
        )
    except OSError as error:
        raise InputError(why_unread(error, error.filename or path)) from None


def is_torch_program(path: Path) -> bool:
    """Whether a file is a program of torch.export, which is no format of its own; raises InputError if it
    cannot be read."""
    _refuse_no_text(path)
    return _kind_of(path) == TORCH_PROGRAM


def refuse_same_file(paths: Sequence[Path]) -> None:
    """Raise InputError if two paths lead to one file, which would be measured twice for nothing."""
    by_file: dict[str, Path] = {}
    for path in paths:
        file = os.path.realpath(path)
        if file in by_file:
            other = by_file[file]
            what = "is given twice" if path == other else f"is the same file as {other}"
            raise InputError(f"{path}: {what}; give each model once")
        by_file[file] = path


def display_names(paths: Sequence[Path]) -> list[str]:
    """Return of each path the last parts, as few as tell it from the others: `model.onnx`, `a/model.onnx`.

    A file that is called like a control of every report is told apart from it: `./control`.
    """
    absolute = [Path(os.path.abspath(path)) for path in paths]
    names = [_shortest_name(path, [other for other in absolute if other != path]) for path in absolute]
    return [f"./{name}" if name in (NULL_VARIANT, CONTROL_VARIANT) else name for name in names]


def _shortest_name(path: Path, others: Iterable[Path]) -> str:
    rivals = {other.parts for other in others}
    for count in range(1, len(path.parts)):
        if all(parts[-count:] != path.parts[-count:] for parts in rivals):
            return Path(*path.parts[-count:]).as_posix()
    return path.as_posix()


def _refusal(path: Path, kind: FileKind) -> str:
    return f"{path}: is {kind.what}; {kind.remedy}"


def _document(path: Path, kind: FileKind) -> FileKind:
    """Return what a text or an archive of arrays is to edgefit, which says more than what it is at all."""
    other = path_kind(path) if kind.what in _OTHERS else None
    return kind if other is None else FileKind(f"{other.what}, not a model", other.remedy or kind.remedy)


def _kind_of(path: Path) -> FileKind:
    """Return what there is at `path`; raises InputError if it is no file with content."""
    _refuse_no_file(path)
    if not path.stat().st_size:
        raise InputError(f"{path}: is empty; copy, download or export it again")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return kind_of_file(path, content)


def _refuse_no_text(path: Path) -> None:
    """Raise InputError if the path is no line of text: a report and a table name it."""
    if (reason := why_unwritable(path)) is not None:
        raise InputError(f"{path}: {reason}")


def _refuse_no_file(path: Path) -> None:
    """Raise InputError if `path` is no regular file. Opening a pipe would wait for its other end."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            why_unreadable(path) or f"{path}: no such file; {missing_hint(path) or TAKEN}"
        ) from None
    if stat.S_ISDIR(mode):
        raise InputError(_refusal(path, _kind_of_folder(path)))
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: is {_what_is(mode)}, not a file; write the model to a file, and give that")


def _what_is(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _kind_of_folder(folder: Path) -> FileKind:
    names = sorted(os.listdir(folder))
    if "saved_model.pb" in names:
        return SAVED_MODEL
    if folder.suffix.lower() == ".mlpackage":
        return CORE_ML
    if "manifest.json" in names:
        return FileKind("a bundle, not a model file", "give one of the model files in it")
    if (own := own_folder_at(folder)) is not None:
        return FileKind(f"{own.what}, neither a bundle nor a model file", own.remedy or TAKEN)
    models = [name for name in names if name.lower().endswith(SUFFIXES)]
    if models:
        return FileKind("a folder, not a model file", f"give a model in it: {_some(models)}")
    other = path_kind(folder)
    what = "a folder" if other is None else other.what
    remedy = (None if other is None else other.remedy) or TAKEN
    return FileKind(f"{what}, neither a bundle (it has no manifest.json) nor a model file", remedy)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} …" if len(names) > _MOST_NAMED else shown


def _refuse_damaged(path: Path, kind: FileKind) -> None:
    """Raise InputError if an ONNX or OpenVINO file was cut off. A zip archive without its end is none."""
    if kind == ONNX:
        read_onnx_graph(path)
    elif kind == OPENVINO:
        with reading(path) as file:
            file.seek(max(0, path.stat().st_size - _LAST_BYTES))
            if b"</net>" not in file.read().replace(b"\0", b"").lower():
                raise InputError(f"{path}: is an OpenVINO model that was cut off; copy or export it again")
    elif kind == EXECUTORCH and is_cut_off(path):
        raise InputError(f"{path}: is an ExecuTorch program that was cut off; copy or export it again")


def _further_files(path: Path, kind: FileKind) -> tuple[Path, ...]:
    if kind not in (ONNX, OPENVINO, NCNN):
        return ()
    names = [name for name in referred_files(path) if name != path.name]
    for name in names:
        _refuse_referred(path, name)
    return tuple(path.parent / name for name in names)


def _refuse_referred(path: Path, name: str) -> None:
    """Raise InputError if the file `name`, which `path` refers to, is missing, elsewhere or no file."""
    file = path.parent / name
    if leads_outside(name):
        raise InputError(
            f"{path}: refers to {name!r}, outside its folder; export it again, with its data beside it"
        )
    if not file.exists():
        raise InputError(f"{path}: refers to {name!r}, which is missing; {_remedy_for_missing(path, file)}")
    if not _lies_with(path, file):
        raise InputError(
            f"{path}: refers to {name!r}, a symbolic link out of its folder; put the file itself there"
        )
    if not file.is_file():
        raise InputError(f"{path}: refers to {name!r}, which is not a file; put the model's data there")
    if (why := why_replaced(file)) is not None:
        raise InputError(why)


def _remedy_for_missing(path: Path, file: Path) -> str:
    if path.is_symlink():  # onnxruntime takes data only from the folder of the model itself
        return f"give the model itself instead of the link: {path.resolve()}"
    return f"put that file at {file}"


def _lies_with(path: Path, file: Path) -> bool:
    """Return whether `file` really lies in the model's folder, or in that which a link to the model leads to.

    Download caches link the model and its data into one folder of blobs.
    """
    real = file.resolve()
    return any(real.is_relative_to(folder) for folder in (path.parent.resolve(), path.resolve().parent))
