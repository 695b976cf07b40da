"""Tells what a source is by how it is written, and by a file's content. It loads no network."""

import difflib
import re
from pathlib import Path

from bench.bundle.model_files import is_torch_program, read_model_file
from bench.bundle.source_record import SourceKind
from bench.errors import InputError
from bench.runtimes.formats import FORMATS
from export.sources.file_formats import FORMAT_OF
from export.sources.spec import SourceSpec
from user_files.faults import why_unreadable
from user_files.missing_paths import missing_hint
from user_files.path_kinds import wrong_path

_LIBRARIES = {"torchvision": SourceKind.TORCHVISION, "timm": SourceKind.TIMM}
_KINDS = {format_: kind for kind, format_ in FORMAT_OF.items()}
NETWORKS = (*_LIBRARIES.values(), SourceKind.FUNCTION)
"""The kinds that are a network in Python, and take `--weights`."""
_FUNCTION = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*")
_PYTHON_FILE = re.compile(r".*\.py(:.*)?")
_FORMS = (
    "give a run folder, a model file (.onnx, .xml, .pt, .pt2 or .tflite), torchvision/NAME, timm/NAME, or "
    "package.module:function"
)


def recognise(text: str, weights: Path | None) -> SourceSpec:
    """Return the source that `text` names, with the file that `--weights` names.

    Raises InputError if it names none, and for weights that the source does not take.
    """
    spec = _recognised(text)
    if weights is None:
        return spec
    if spec.kind not in NETWORKS:
        raise InputError(f"--weights {weights}: it applies to a network in Python; {text} has its weights")
    if not weights.exists():
        remedy = "give the file that holds the weights"
        raise InputError(
            why_unreadable(weights)
            or f"--weights {weights}: {wrong_path(weights, 'a file of weights', remedy)}"
        )
    return spec.model_copy(update={"weights": str(weights.resolve())})


def _recognised(text: str) -> SourceSpec:
    path = Path(text)
    if not text.strip():
        raise InputError(f"SOURCE: {missing_hint(text)}")
    if path.is_dir():
        return SourceSpec(kind=SourceKind.RUN, name=str(path.resolve()))
    if path.exists() or path.is_symlink():
        return SourceSpec(kind=_kind_of_file(path), name=str(path.resolve()))
    library, _, name = text.partition("/")
    if library in _LIBRARIES and name:
        return SourceSpec(kind=_LIBRARIES[library], name=text)
    if _FUNCTION.fullmatch(text) and not _PYTHON_FILE.fullmatch(text):
        return SourceSpec(kind=SourceKind.FUNCTION, name=text, folder=str(Path.cwd()))
    raise InputError(f"{text}: {_complaint(text)}")


def _kind_of_file(path: Path) -> SourceKind:
    """Return the kind of a model file; raises InputError if it is none."""
    if is_torch_program(path):
        return SourceKind.PROGRAM
    name = read_model_file(path).format
    if name not in _KINDS:
        raise InputError(
            f"{path}: edgefit measures {FORMATS[name].title} files, and makes nothing of them; export the "
            f"network itself, or measure the file: edgefit bench {path}"
        )
    return _KINDS[name]


def _complaint(text: str) -> str:
    if _PYTHON_FILE.fullmatch(text):
        module = text.removesuffix(".py").replace("/", ".")
        module = module.partition(".py:")[0]
        return f"name a Python module with dots, and a function in it: {module}:build"
    library = text.partition("/")[0]
    close = difflib.get_close_matches(library, _LIBRARIES, n=1)
    hint = f"did you mean {close[0]}/…? " if "/" in text and close and library not in _LIBRARIES else ""
    return f"no such folder, file or network; {f'{hint}{_FORMS}' if hint else missing_hint(text) or _FORMS}"
