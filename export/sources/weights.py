"""Reads weights, as weights only, and loads them into a network. It unpickles no code."""

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from bench.errors import InputError

# Where training scripts keep the weights in their checkpoints. timm too prefers the averaged ones.
_NESTED = ("state_dict_ema", "state_dict", "model_state_dict", "model")
# What wrappers put before the names: DataParallel, Lightning, torch.compile.
_PREFIXES = ("module.", "model.", "_orig_mod.")
# A count of training steps, which nothing reads in a network that is only run.
_COUNTER = "num_batches_tracked"
_MOST_NAMED = 3


@dataclass(frozen=True)
class Weights:
    """The weights of a file."""

    path: Path
    """The file."""
    tensors: Mapping[str, Tensor]
    """The weights by name, without prefixes of wrappers."""


def read_weights(path: Path) -> Weights:
    """Read a `.safetensors` file, or a state dict that torch.save wrote.

    A state dict may be nested under a usual key of checkpoints. Raises InputError for anything else: a
    pickled module is code.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give --weights a .safetensors file or a state dict of torch")
    content = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    for key in _NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise InputError(
            f"{path}: holds {_what(content)}, not the weights of a network; save them with "
            "torch.save(network.state_dict(), FILE)"
        )
    if not content:
        raise InputError(f"{path}: holds no weights; save them with torch.save(network.state_dict(), FILE)")
    return Weights(path, _without_prefixes({str(name): value for name, value in content.items()}))


def _what(content: object) -> str:
    if not isinstance(content, Mapping):
        return type(content).__name__
    keys = ", ".join(repr(key) for key in list(content)[:_MOST_NAMED])
    return f"a dictionary with the keys {keys}"


def _safetensors(path: Path) -> object:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: is no whole .safetensors file ({error}); copy it again") from None


def _pickled(path: Path) -> object:
    if _is_torchscript(path):
        raise InputError(
            f"{path}: is a TorchScript program, not weights; export it as it is: edgefit export {path.name}, "
            "or save weights with torch.save(network.state_dict(), FILE)"
        )
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Weights only load failed" not in str(error):
            raise InputError(f"{path}: cannot be read as weights ({error}); copy it again") from None
        raise InputError(
            f"{path}: holds a pickled module or other Python objects, which edgefit never loads, for they "
            "are code; save weights with torch.save(network.state_dict(), FILE), and give the network as "
            "package.module:function"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        # torch's reasons are of its reader, such as "101" or nothing at all.
        raise InputError(
            f"{path}: cannot be read as weights; it is {_damage(path)}; copy it again, or save weights with "
            "torch.save(network.state_dict(), FILE)"
        ) from error


def _damage(path: Path) -> str:
    return "cut off, damaged, or not a file of torch.save" if path.stat().st_size else "empty"


def _is_torchscript(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any("/code/" in name for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def _without_prefixes(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Remove prefixes that all names have."""
    while (prefix := next((each for each in _PREFIXES if _all_begin(tensors, each)), None)) is not None:
        tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def _all_begin(tensors: Mapping[str, Tensor], prefix: str) -> bool:
    return all(name.startswith(prefix) and name != prefix for name in tensors)


def load_into(network: nn.Module, weights: Weights, source: str) -> None:
    """Load weights into a network. Raises InputError, with the first names, if they are not its own.

    A network that was wrapped under one of the usual names is matched too.
    """
    own = network.state_dict()
    tensors = _as_in(own, weights.tensors)
    problems = (
        _named("misses", [name for name in own if name not in tensors and not name.endswith(_COUNTER)]),
        _named("has too much", [name for name in tensors if name not in own]),
        _named(
            "has other shapes for",
            [
                f"{name} {list(tensors[name].shape)} instead of {list(value.shape)}"
                for name, value in own.items()
                if name in tensors and tensors[name].shape != value.shape
            ],
        ),
    )
    stated = "; ".join(problem for problem in problems if problem)
    if stated:
        raise InputError(
            f"{weights.path}: does not fit {source}: it {stated}; give the weights of this very network, "
            "name the network that they belong to, or state the --shape that they were trained for"
        )
    network.load_state_dict(tensors, strict=False)


def _as_in(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the names the prefix back that the network's own names have."""
    prefix = next((each for each in _PREFIXES if _all_begin(own, each)), "")
    if prefix and not own.keys() & tensors.keys():
        return {f"{prefix}{name}": value for name, value in tensors.items()}
    return dict(tensors)


def _named(what: str, names: list[str]) -> str | None:
    if not names:
        return None
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{what} {', '.join(names[:_MOST_NAMED])}{more}"
