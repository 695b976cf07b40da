"""Reads a checkpoint, whatever its name: safetensors, a file of torch.save, or the index of several.

The content decides what a file is. Whatever is none of these is refused in one sentence, which says what it
is and how its tensors are saved. Nothing here knows a network: `fitting.py` does.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from safetensors.torch import load_file
from torch import Tensor

from models.checkpoints.pickles import needs_numpy, read_pickle
from models.checkpoints.saving_line import (
    SAVED,
    Loading,
    line_for_npz,
    line_for_part,
    line_for_pickle,
    line_for_program,
    line_for_torchscript,
)
from models.checkpoints.tensor_tables import TensorTable, tables_in
from models.errors import InputError
from user_files.contents import LARGEST_DOCUMENT, ContentError, content_of
from user_files.faults import why_unreadable
from user_files.hashes import sha256_of_files
from user_files.json_text import json_of
from user_files.pointers import HEAD_BYTES
from user_files.printable import printable
from user_files.safetensors_header import is_safetensors
from user_files.signatures import signature_of
from user_files.zip_names import names_in_zip

GIVE = "give a .safetensors file, or what torch.save(network.state_dict(), FILE) wrote"
_TORCH_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_ONNX = re.compile(rb"\x08[\x01-\x14][\x12\x3a\x42]")
_SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}(\.\w+)")
_INDEX = ".index.json"
_OF_DISTRIBUTED = ".metadata"
_UNKNOWN = "of no kind that edgefit knows"
_SHOWN = 40


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds."""

    path: Path
    """The file that was given."""
    files: tuple[Path, ...]
    """All files that were read."""
    tables: tuple[TensorTable, ...]
    """Its tables of tensors; at least one."""
    notes: tuple[str, ...] = ()
    """What is to be said of it, in sentences."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the file; of several files that of their hashes, one after the other."""
        return sha256_of_files(self.files)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; raises InputError for whatever holds no tensors by name."""
    _refuse_no_file(path)
    head = _head(path)
    if head.lstrip().startswith(b"{") and (shards := _shards(path)) is not None:
        return _joined(path, shards)
    _refuse_shard(path)
    content = _content(path, head)
    tables = tables_in(content)
    if not tables:
        raise InputError(f"{path}: holds {_what(content)}, and no tensors by name; {GIVE}")
    return Checkpoint(path, (path,), tables)


def line_to_keep(checkpoint: Checkpoint, keys: Sequence[str | int], prefix: str) -> str:
    """Return the remedy for a checkpoint that holds several networks: the line that saves one of them."""
    files = checkpoint.files[1:] or checkpoint.files  # an index comes before the files that it lists
    loading, condition = Loading.TENSORS, ""
    if is_safetensors(_head(files[0])):
        loading = Loading.SAFETENSORS
    elif any(needs_numpy(file) for file in files):
        loading, condition = Loading.ANYTHING, "if you trust the file, "
    return f"{condition}save the one to use with: {line_for_part(files, loading, keys, prefix)}"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def _refuse_no_file(path: Path) -> None:
    if path.is_file():
        return
    if not path.is_dir():
        raise InputError(why_unreadable(path) or f"{path}: no such file; {GIVE}")
    if (path / _OF_DISTRIBUTED).is_file():
        raise InputError(
            f"{path}: is a folder of torch.distributed.checkpoint; write one file of it with: python -m "
            f"torch.distributed.checkpoint.format_utils dcp_to_torch {path} {SAVED}"
        )
    raise InputError(f"{path}: is a folder, not a file; {_in_folder(path)}")


def _in_folder(path: Path) -> str:
    suffixes = (_INDEX, ".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".pth.tar")
    names = sorted(name.name for name in path.iterdir() if name.name.endswith(suffixes))
    indexes = [name for name in names if name.endswith(_INDEX)]
    best = indexes or names
    return f"give the file in it, such as {path / best[0]}" if best else GIVE


def _refuse_shard(path: Path) -> None:
    """Raise InputError for one of several files, if the index of them lies beside it."""
    if (shard := _SHARD.fullmatch(path.name)) is None:
        return
    index = path.with_name(f"{shard[1]}{shard[2]}{_INDEX}")
    if index.is_file():
        raise InputError(f"{path}: is one of several files with weights; give the index of them, {index}")


def _shards(path: Path) -> tuple[str, ...] | None:
    """Return the names of the files that an index names; None if the file is no index."""
    try:
        document = json_of(content_of(path, LARGEST_DOCUMENT))
    except ContentError:
        return None
    files = document.get("weight_map") if isinstance(document, dict) else None
    if not isinstance(files, dict) or not all(isinstance(name, str) for name in files.values()):
        return None
    return tuple(sorted(set(files.values()))) or None


def _joined(path: Path, names: Sequence[str]) -> Checkpoint:
    """Read all files that an index names, which lie beside it."""
    tensors: dict[str, Tensor] = {}
    for name in names:
        file = path.with_name(name) if Path(name).name == name else None
        if file is None or not file.is_file():
            raise InputError(f"{path}: names the file {name!r}, which is not beside it; put it there")
        for table in tables_in(_content(file, _head(file))):
            tensors.update(table.tensors)
    files = (path, *(path.with_name(name) for name in names))
    note = f"The weights are those of {len(names)} files, which {path.name} lists."
    return Checkpoint(path, files, (TensorTable((), tensors),), (note,))


def _content(path: Path, head: bytes) -> object:
    """Return what a file holds; raises InputError if it holds no weights, or did not arrive whole."""
    if (why := why_unreadable(path)) is not None:
        raise InputError(why)
    if is_safetensors(head):
        return _safetensors(path)
    if head.startswith(b"PK\x03\x04"):
        _refuse_other_zip(path)
        return read_pickle(path)
    if head.startswith(_TORCH_MAGIC):
        return read_pickle(path)
    if _PICKLE.match(head):
        raise InputError(
            f"{path}: is a pickle that torch.save did not write, which is code that edgefit never runs; if "
            f"you trust the file, save its tensors with: {line_for_pickle(path)}"
        )
    raise InputError(f"{path}: is {_other(head)}, not weights of PyTorch; {GIVE}")


def _safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except Exception as error:  # safetensors raises its own error, and whatever torch does
        raise InputError(
            f"{path}: is not a readable safetensors file ({error}); copy or download it again, or write it "
            "with safetensors.torch.save_file"
        ) from error


def _refuse_other_zip(path: Path) -> None:
    """Raise InputError for a zip archive that torch.save did not write."""
    try:
        names = names_in_zip(path)
    except ContentError as error:
        raise InputError(f"{path}: {error}; copy or download it again") from error
    inner = {name.partition("/")[2] for name in names}
    if "constants.pkl" in inner and any(name.startswith("code/") for name in inner):
        raise InputError(_not_weights(path, "a TorchScript program", line_for_torchscript(path)))
    if "archive_format" in inner or "serialized_exported_program.json" in names:
        raise InputError(_not_weights(path, "a program of torch.export", line_for_program(path)))
    if "data.pkl" in inner:
        return
    if names and all(name.endswith(".npy") for name in names):
        raise InputError(
            f"{path}: is NumPy arrays (.npz), not weights of PyTorch; save them as tensors with: "
            f"{line_for_npz(path)}"
        )
    what = "a Keras model (.keras)" if "model.weights.h5" in names else "a zip archive"
    raise InputError(f"{path}: is {what}, not weights of PyTorch; {GIVE}")


def _not_weights(path: Path, what: str, line: str) -> str:
    return (
        f"{path}: is {what}, not weights; export it as it is with: edgefit export {quote(str(path))}, or "
        f"save its weights with: {line}"
    )


def _other(head: bytes) -> str:
    """Return what a file is that holds no weights of PyTorch, in words."""
    if (signature := signature_of(head)) is not None:
        return signature.value
    if _ONNX.match(head):
        return "an ONNX model, which edgefit exports as it is"
    text = head[:_SHOWN].decode("ascii", errors="replace").strip()
    line = text.splitlines()[0] if text else ""
    return f"text that begins with {line!r}" if line.isascii() and line.isprintable() and line else _UNKNOWN


def _what(content: object) -> str:
    if not isinstance(content, dict):
        return f"an object of type {type(content).__name__}"
    if "param_groups" in content:
        return "the state of an optimiser"
    if not content:
        return "an empty dictionary"
    keys = printable(", ".join(repr(key) for key in list(content)[:3]))
    return f"a dictionary with the keys {keys}{' …' if len(content) > 3 else ''}"
