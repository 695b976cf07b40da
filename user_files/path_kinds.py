"""What lies at a path: a folder or document of edgefit, data, weights, an archive; and what it is given to.

One place says it for every command, which adds what it needs itself. It looks at names and first bytes, and
opens no model: whether a model file is whole, and which kind it is, its reader says.
"""

import os
import re
import shlex
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from user_files.data_kinds import is_named_as_image
from user_files.faults import replaced_by
from user_files.missing_paths import missing_hint
from user_files.reading import reading
from user_files.signatures import PACKED, FileSignature, signature_of
from user_files.text import utf8_of
from user_files.versions import document_of
from user_files.zip_names import is_zip, names_in_any

_HEAD_BYTES = 4096
_LARGEST_DOCUMENT = 256 << 20
_MOST_LOOKED_AT = 1000
_MOST_NAMED = 4


@dataclass(frozen=True)
class PathKind:
    """What lies at a path."""

    what: str
    """What it is, with its article."""
    remedy: str | None = None
    """What it is given to; None: what the command takes says enough."""
    is_model: bool = False
    """Whether it may be a model, or weights of one."""


A_DOCUMENT = "a JSON document"
_REPORT = "a report of edgefit bench"
_BUNDLE = "a bundle of edgefit export"
_RUN = "a run folder of edgefit finetune"
_OF_MANIFEST = frozenset(("schema", "artifacts", "pack"))
_OF_RUN = frozenset(("schema", "arch", "training"))
# A file of the user's may have such a name too, so the keys in it decide.
_FOLDERS: tuple[tuple[str, frozenset[str], str, str], ...] = (
    (
        "run.json",
        _OF_RUN,
        _RUN,
        "make a bundle of it with: edgefit export {} --out BUNDLE",
    ),
    (
        "manifest.json",
        _OF_MANIFEST,
        _BUNDLE,
        "measure it with: edgefit bench {} --out report.json",
    ),
    (
        "comparison.json",
        frozenset(("schema", "networks", "rows")),
        "a comparison of edgefit compare",
        "show it with: edgefit compare {}",
    ),
    (
        "wheelhouse.json",
        frozenset(("python", "glibc")),
        "a wheelhouse",
        "give it with: edgefit bench … --on BOARD --wheelhouse {}",
    ),
    (
        "shipped.json",
        frozenset(("schema", "variant")),
        "a copy that edgefit choose --ship made",
        "run its example: python {}/classify.py",
    ),
)
_DOCUMENTS: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset(("schema", "tool", "runs")), _REPORT, "show it with: edgefit report {}"),
    (_OF_MANIFEST, "the manifest of a bundle", "give its folder: {above}"),
    (_OF_RUN, "the record of a run folder", "give its folder: {above}"),
    (
        frozenset(("schema", "networks", "rows")),
        "the record of a comparison",
        "give its folder: edgefit compare {above}",
    ),
    (
        frozenset(("findings", "candidate", "baseline")),
        "a result of edgefit check",
        "give the reports or bundles",
    ),
    (
        frozenset(("schema", "choices")),
        "a result of edgefit choose",
        "give the report: edgefit choose REPORT",
    ),
)
_IMAGES = PathKind("a folder of images")
_ARCHIVE = PathKind("an archive", "unpack it, and give what is in it")
_WEIGHTS = (".safetensors", ".pth", ".ckpt", ".h5")
_MODELS = (".onnx", ".pt", ".pt2", ".tflite", ".keras", ".engine", ".mlmodel", ".ort", ".pte")
# torch and Keras save zip archives too.
_OF_MODEL = re.compile(r"(^|/)(data\.pkl|constants\.pkl|archive_format|config\.json)$")
_BINARY = re.compile(rb"[\x00-\x08]")


def wrong_path(path: Path, wanted: str, remedy: str) -> str:
    """Return what is wrong with a path at which `wanted` was needed, to follow the path and a colon.

    `remedy`: what the command takes, where what lies there does not say what it is given to.
    """
    if not os.path.lexists(path):
        return f"there is no such file or folder; {missing_hint(path) or remedy}"
    kind = path_kind(path)
    if kind is None:
        return f"is {'a folder' if path.is_dir() else 'a file'}, but not {wanted}; {remedy}"
    return f"is {kind.what}, not {wanted}; {kind.remedy or remedy}"


def path_kind(path: Path) -> PathKind | None:
    """Return what lies at a path; None if there is nothing, or nothing that has a name here."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return own_folder_at(path) or _folder(path)
        return _file(path) if stat.S_ISREG(mode) else PathKind("a device or pipe")
    except OSError:
        return None  # whoever opens it says why that fails


def is_report(kind: PathKind) -> bool:
    """Tell whether it is a report of edgefit bench."""
    return kind.what == _REPORT


def own_folder_at(path: Path) -> PathKind | None:
    """Return which folder of edgefit's own it is; None if it is none."""
    for marker, keys, what, remedy in _FOLDERS:
        if keys <= _read(path / marker).keys():
            return PathKind(what, remedy.format(shlex.quote(str(path))))
    return None


def is_run_folder(path: Path) -> bool:
    """Tell whether it is a run folder of edgefit finetune."""
    kind = own_folder_at(path) if path.is_dir() else None
    return kind is not None and kind.what == _RUN


def bundle_around(path: Path) -> Path | None:
    """Return the bundle in which a path lies; None if it lies in none. No other file may be in a bundle."""
    for folder in path.absolute().parents:
        if (folder / "manifest.json").is_file() and (kind := own_folder_at(folder)) is not None:
            return folder if kind.what == _BUNDLE else None
    return None


def folder_without_data(path: Path) -> PathKind | None:
    """Return what a folder is that is no data: one of edgefit's own, or with such ones alone, or empty."""
    kind = path_kind(path)
    return None if kind is None or kind == _IMAGES else kind


def _folder(path: Path) -> PathKind | None:
    entries = list(islice(sorted(path.iterdir()), _MOST_LOOKED_AT))
    if not entries:
        return PathKind("an empty folder")
    inner = (file for entry in entries if entry.is_dir() for file in entry.iterdir())
    if any(is_named_as_image(file) for file in islice((*entries, *inner), _MOST_LOOKED_AT)):
        return _IMAGES
    own = [str(entry) for entry in entries if _is_own(entry)]
    return PathKind("a folder", f"give what is in it: {' or '.join(own[:_MOST_NAMED])}") if own else None


def _is_own(entry: Path) -> bool:
    """Tell whether it is a folder of edgefit's own, or a report."""
    if entry.is_dir():
        return own_folder_at(entry) is not None
    kind = _document(entry) if entry.suffix == ".json" else None
    return kind is not None and is_report(kind)


def _file(path: Path) -> PathKind | None:
    with reading(path) as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return PathKind("an empty file")
    looks: tuple[Callable[[Path, bytes], PathKind | None], ...] = (_image, _archive, _text, _by_suffix)
    return next((kind for look in looks if (kind := look(path, head)) is not None), None)


def _image(_path: Path, head: bytes) -> PathKind | None:
    return PathKind("an image") if signature_of(head) is FileSignature.IMAGE else None


def _archive(path: Path, head: bytes) -> PathKind | None:
    if signature_of(head) in PACKED:
        return _ARCHIVE
    if not head.startswith(b"PK") or not is_zip(path):
        return None
    names = names_in_any(path)
    if path.suffix == ".pyz" or "__main__.py" in names:
        return PathKind("a packed measurement", f"run it on the board: python3 {shlex.quote(str(path))}")
    if names and all(name.endswith(".npy") for name in names):
        return PathKind("a file of arrays (.npz)")
    is_model = any(map(_OF_MODEL.search, names))
    return None if is_model else PathKind("a zip archive", "unpack it, and give what is in it")


def _text(path: Path, head: bytes) -> PathKind | None:
    if (fault := replaced_by(head)) is not None:
        return PathKind(fault.what.partition(",")[0], fault.remedy)
    return _document(path) if utf8_of(head).lstrip().startswith(b"{") else None


def _document(path: Path) -> PathKind | None:
    document = _read(path)
    quoted = {"above": shlex.quote(str(path.parent))}
    for keys, what, remedy in _DOCUMENTS:
        if keys <= document.keys():
            return PathKind(what, remedy.format(shlex.quote(str(path)), **quoted))
    return PathKind(A_DOCUMENT) if document else None


def _read(path: Path) -> Mapping[str, Any]:
    """Return a JSON document's keys and values; none if it is no such document, or too large for one."""
    if not path.is_file() or path.stat().st_size > _LARGEST_DOCUMENT:
        return {}
    with reading(path) as file:
        return document_of(file.read())


def _by_suffix(path: Path, head: bytes) -> PathKind | None:
    suffix, quoted = path.suffix.lower(), shlex.quote(str(path))
    if path.name.endswith("edgefit.yaml"):
        return PathKind("a sidecar, which says what a model beside it takes", "give that model")
    if suffix in (".yaml", ".yml"):
        return PathKind("a YAML file, as device profiles are", f"give a profile with --profile {quoted}")
    if suffix in (".csv", ".tsv"):
        return PathKind("a table (CSV)")
    if suffix in _WEIGHTS:
        return PathKind("a file of weights", is_model=True)
    if (suffix in _MODELS and _BINARY.search(head)) or (suffix == ".xml" and b"<net" in head):
        remedy = f"measure it with: edgefit bench {quoted} --out report.json"
        return PathKind("a model file", remedy, is_model=True)
    return PathKind("a text file") if suffix in (".txt", ".md") else None
