"""Loads the weights that fine-tuning starts from. It knows names and shapes of tensors, and no data."""

import difflib
import hashlib
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from models.architectures import Architecture
from models.errors import InputError
from models.network import ImageClassifier
from models.progress import Progress
from models.sources.names import check_name
from models.torchvision_import import import_torchvision_models
from models.weights_kind import WeightsKind
from user_files.missing import missing_hint

BUNDLED_FOLDER = Path(__file__).parent / "weights"
NETWORK_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class StartingWeights:
    """The weights that fine-tuning starts from."""

    kind: WeightsKind
    """Where they come from."""
    name: str
    """Their file's name; 'none' for random weights."""
    sha256: str | None
    """Their file's SHA-256; None for random weights."""
    tensors: Mapping[str, Tensor]
    """The tensors by torchvision's names."""


def weights_kind(weights: str) -> WeightsKind:
    """Return the kind of a value of `--weights`, which is a name or an existing file."""
    named = (WeightsKind.IMAGENET, WeightsKind.BUNDLED, WeightsKind.NONE)
    for kind in named:
        if weights == kind.value:
            return kind
    if not Path(weights).is_file():
        close = difflib.get_close_matches(weights, [kind.value for kind in named], n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        remedy = f"{hint}give imagenet, bundled, none or a FILE"
        if Path(weights).is_dir() and weights.strip():
            own = Path(weights) / "model.safetensors"
            remedy = f"give its weights: {own}" if own.is_file() else remedy
            raise InputError(f"--weights {weights} is a folder, not a file of weights; {remedy}")
        raise InputError(
            f"--weights {weights} is neither a name nor an existing file; "
            f"{'; '.join(filter(None, (missing_hint(weights), remedy)))}"
        )
    check_name(weights, "--weights")
    if Path(weights).suffix not in (".safetensors", ".pth", ".pt"):
        raise InputError(
            f"--weights {weights} is a file of an unknown kind; give a .safetensors, .pth or .pt file"
        )
    return WeightsKind.FILE


def load_starting_weights(weights: str, architecture: Architecture, progress: Progress) -> StartingWeights:
    """Load the weights; raises an InputError that says why that fails and what else to give."""
    kind = weights_kind(weights)
    if kind is WeightsKind.NONE:
        return StartingWeights(kind, "none", None, {})
    if kind is WeightsKind.IMAGENET:
        return _download_imagenet(architecture, progress)
    if kind is WeightsKind.BUNDLED:
        return _read_bundled(architecture)
    return _read(Path(weights), kind)


def _read_bundled(architecture: Architecture) -> StartingWeights:
    path = BUNDLED_FOLDER / f"{architecture.name}_synthetic.safetensors"
    if not path.is_file():
        raise InputError(
            f"--weights bundled: edgefit has no {path.name} here, the weights of {architecture.name}; give "
            "--weights none or a FILE, or install edgefit again if they came with it"
        )
    return _read(path, WeightsKind.BUNDLED)


def _download_imagenet(architecture: Architecture, progress: Progress) -> StartingWeights:
    """Return torchvision's ImageNet weights, from its cache or with its own download code."""
    if architecture.imagenet_weights is None:
        raise InputError(
            f"--weights imagenet: there are no ImageNet weights of {architecture.name}; give --weights none "
            "or a FILE"
        )
    enum, _, member = architecture.imagenet_weights.partition(".")
    weights = getattr(import_torchvision_models(), enum)[member]
    cached = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[1]
    progress.begin(f"Loading ImageNet weights ({cached.name})", 1)
    try:
        with _network_timeout():
            weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, URLError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(
            f"--weights imagenet: {weights.url} could not be downloaded ({error}); without a network use "
            "--weights bundled, or give torchvision's checkpoint as --weights FILE"
        ) from error
    progress.advance()
    return _read(cached, WeightsKind.IMAGENET)


@contextmanager
def _network_timeout() -> Iterator[None]:
    """Limit torchvision's download, which waits for ever on a network that drops packets."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _read(path: Path, kind: WeightsKind) -> StartingWeights:
    tensors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    for name, value in tensors.items():
        _check_numbers(path, str(name), value)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return StartingWeights(kind, path.name, digest, {name: value.float() for name, value in tensors.items()})


def _check_numbers(path: Path, name: str, value: Tensor) -> None:
    """Raise an InputError unless the tensor is dense and real; only counters of batches may be integers."""
    remedy = "save the network's state_dict() as floats (torch.float32)"
    if value.is_meta or value.layout is not torch.strided:
        kind = "without values (device meta)" if value.is_meta else f"sparse ({value.layout})"
        raise InputError(f"{path}: '{name}' is {kind}; {remedy}")
    is_counter = name.endswith(".num_batches_tracked") and not value.is_complex()
    if not (value.is_floating_point() or is_counter):
        raise InputError(f"{path}: '{name}' holds {value.dtype}; {remedy}")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path} is not a readable safetensors file ({error}); write it with safetensors.torch.save_file"
        ) from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    """Read a state dict, bare or below one of the usual keys, as weights only: no code in the file runs."""
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError) as error:
        # torch's own messages are paragraphs that explain how to run the code in the file.
        fault = (
            "it contains Python objects, not only tensors"
            if "Unsupported global" in str(error) or "TorchScript" in str(error)
            else "it is truncated, or torch.save did not write it"
        )
        raise InputError(
            f"{path} cannot be loaded as weights only, because {fault}; save the network's state_dict()"
        ) from error
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise InputError(
            f"{path} contains a {type(loaded).__name__}, not a state dict (tensors by name); "
            "save the network's state_dict()"
        )
    return {str(name).removeprefix("module."): value for name, value in loaded.items()}


def apply_weights(network: ImageClassifier, weights: StartingWeights, architecture: Architecture) -> bool:
    """Load the weights into the network. Return whether their head fitted; otherwise it stays random.

    The weights may lack the counters of batch norms and the normalisation: the network has its own.
    """
    if weights.kind is WeightsKind.NONE:
        return False
    own = network.state_dict()
    tensors = {architecture.key_of(name): value for name, value in weights.tensors.items()}
    head = {name for name in own if name.startswith(architecture.head + ".")}
    head_fits = all(_shape(tensors, name) == own[name].shape for name in head)
    chosen = {name: value for name, value in tensors.items() if head_fits or name not in head}
    _check_fit(chosen, own, head, weights.name, architecture.name)
    network.load_state_dict({**own, **chosen})
    return head_fits


def _shape(tensors: Mapping[str, Tensor], name: str) -> torch.Size | None:
    return tensors[name].shape if name in tensors else None


def _check_fit(
    given: Mapping[str, Tensor], expected: Mapping[str, Tensor], head: set[str], file: str, architecture: str
) -> None:
    """Raise an InputError that names the file and the first tensor that does not fit."""
    optional = {
        name for name in expected if name.startswith("normalise.") or name.endswith(".num_batches_tracked")
    }
    missing = [name for name in expected if name not in given and name not in head | optional]
    unknown = [name for name in given if name not in expected]
    reshaped = [name for name in given if name in expected and given[name].shape != expected[name].shape]
    broken = [name for name in given if not bool(torch.isfinite(given[name]).all())]
    remedy = f"give a torchvision state dict of {architecture}"
    problem = f"{file} is not a {architecture} checkpoint"
    if missing:
        raise InputError(f"{problem}: '{missing[0]}' is missing{_more(missing)}; {remedy}")
    if unknown:
        raise InputError(f"{problem}: '{unknown[0]}' is unknown{_more(unknown)}; {remedy}")
    if reshaped:
        name = reshaped[0]
        shapes = f"is {tuple(given[name].shape)}, but must be {tuple(expected[name].shape)}"
        raise InputError(f"{problem}: '{name}' {shapes}{_more(reshaped)}; {remedy}")
    if broken:
        raise InputError(
            f"{file}: '{broken[0]}' contains values that are not finite{_more(broken)}; {remedy}"
        )


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
