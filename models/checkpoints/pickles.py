"""Loads what torch.save wrote, as weights only: no code in the file runs, nor any of NumPy's.

What needs code is refused with the line that saves its tensors where that code is. To write that line, the
file is loaded once more with an inert object in the place of each that would need code.
"""

import re
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from models.checkpoints.numpy_values import ALLOWED, Allowed
from models.checkpoints.saving_line import SAVED, Inert, line_for_content
from models.errors import InputError
from user_files.printable import printable
from user_files.reading import reading
from user_files.zip_names import is_zip

_NEEDED = re.compile(r"GLOBAL (\S+) (?:was not an allowed global|whose module)")
# What torch, and the code for NumPy's values, say of what they do not build.
_REFUSED = re.compile(r"Can only|Trying to")
_NUMPY = re.compile(r"a NumPy [a-z ]+")
_MOST_NEEDED = 300
_SHOWN = 3
# Names that no weights need and harmful files use, and modules of which that is so for all names.
_HARMFUL_NAMES = frozenset(
    ("eval", "exec", "compile", "open", "__import__", "breakpoint", "input", "execfile", "apply")
)
_OPENERS = frozenset(("io.open", "_io.open", "io.FileIO", "_io.FileIO"))  # what `open` is in a pickle
_HARMFUL_MODULES = frozenset(
    (
        "os",
        "posix",
        "nt",
        "sys",
        "subprocess",
        "shutil",
        "socket",
        "runpy",
        "importlib",
        "ctypes",
        "pty",
        "pip",
    )
)


@dataclass(frozen=True)
class _Seen:
    """What is known of a file that needs code."""

    needed: tuple[str, ...]
    """The names of what it would call."""
    content: object
    """What it holds, with inert objects; None if even that cannot be loaded."""


def read_pickle(path: Path) -> object:
    """Return what a file of torch.save holds; raises InputError if it needs code, or is damaged."""
    try:
        return _load(path, ALLOWED)
    except Exception as error:  # of damaged bytes torch raises whatever the next step happens to raise
        # its messages are paragraphs that explain how to run the code in the file
        raise InputError(_refusal(path, error)) from error


def needs_numpy(path: Path) -> bool:
    """Return whether a file that can be read has values of NumPy, which torch alone does not load."""
    try:
        _load(path, ())
    except UnpicklingError:
        return True
    return False


def _load(path: Path, allowed: Iterable[Allowed], is_mapped: bool = False) -> Any:
    with warnings.catch_warnings(), torch.serialization.safe_globals(list(allowed)):
        warnings.simplefilter("ignore")  # torch deprecates its own storages while it reads old files
        if is_mapped:
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        with reading(path) as file:  # of a path, torch believes the suffix .safetensors
            return torch.load(file, map_location="cpu", weights_only=True)


def _refusal(path: Path, error: Exception) -> str:
    seen = _seen(path)
    harmful = [name for name in seen.needed if _is_harmful(name)]
    if harmful:
        return (
            f"{path}: would call {printable(harmful[0])} when it is loaded, which no weights need; it may be "
            "harmful: do not load it, and get the weights from elsewhere"
        )
    if (why := _why_refused(path, seen, str(error))) is not None:
        return (
            f"{path}: {why}, and edgefit runs no code of a file; if you trust the file, write its tensors to "
            f"{SAVED} in an environment that has all its code: {line_for_content(path, seen.content)}"
        )
    return (
        f"{path}: is damaged, or torch.save did not write it; copy or download it again, or save the network "
        "with torch.save(network.state_dict(), FILE)"
    )


def _why_refused(path: Path, seen: _Seen, message: str) -> str | None:
    """Return what a file needs beyond tensors and numbers; None if it is damaged."""
    if seen.needed:
        more = f" and {len(seen.needed) - _SHOWN} more" if len(seen.needed) > _SHOWN else ""
        return f"needs code to be loaded ({printable(', '.join(seen.needed[:_SHOWN]))}{more})"
    if (value := _NUMPY.search(message)) is not None:
        return f"needs code to be loaded ({value[0]})"
    if "Unsupported operand" in message and not _is_damaged_zip(path):
        return "is a pickle of another protocol than torch.save's own, which needs Python's own unpickler"
    return "needs code to be loaded" if _REFUSED.search(message) else None


def _is_damaged_zip(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("data.pkl"):
                    archive.read(name)
    except Exception:  # noqa: BLE001 - zipfile and zlib raise many kinds of errors for a damaged archive
        return is_zip(path)
    return False


def _is_harmful(name: str) -> bool:
    return name in _HARMFUL_NAMES | _OPENERS or name.partition(".")[0] in _HARMFUL_MODULES


def _seen(path: Path) -> _Seen:
    """Return what a file would need, and what it holds, by loading it with inert objects."""
    needed: dict[str, None] = {}
    numpy = [name for _, name in ALLOWED]
    is_mapped = is_zip(path) and path.suffix != ".safetensors"
    while len(needed) < _MOST_NEEDED:
        try:
            return _Seen(tuple(needed), _load(path, _inert((*needed, *numpy)), is_mapped))
        except Exception as error:  # noqa: BLE001 - as above; what is needed is in the message, or nothing is
            name = _NEEDED.search(str(error))
            if name is None or name[1] in needed:
                break
            needed[name[1]] = None
    return _Seen(tuple(needed), None)


def _inert(names: Iterable[str]) -> list[Allowed]:
    """Return an inert object for each name; torch leaves `builtins.` out of the names in its messages."""
    return [(Inert, full) for name in names for full in (name, f"builtins.{name}")]
