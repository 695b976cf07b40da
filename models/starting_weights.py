"""The weights fine-tuning starts from, by name or file. It knows tensors' names and shapes, and no data."""

import difflib
import hashlib
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from urllib.error import URLError

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from models.errors import InputError
from models.network import Architecture, ImageClassifier
from models.progress import Progress
from models.sources.names import check_name
from models.torchvision_import import import_torchvision_models

BUNDLED_FOLDER = Path(__file__).parent / "weights"
NETWORK_TIMEOUT_S = 20.0


class WeightsKind(str, Enum):
    """Where starting weights come from."""

    IMAGENET = "imagenet"
    BUNDLED = "bundled"
    NONE = "none"
    FILE = "file"


@dataclass(frozen=True)
class StartingWeights:
    """Tensors by torchvision's names; `sha256` is that of the file they came in, None for random ones."""

    kind: WeightsKind
    name: str
    sha256: str | None
    tensors: Mapping[str, Tensor]


def weights_kind(weights: str) -> WeightsKind:
    """What `--weights` asks for; anything that is no name must be a file that exists."""
    named = (WeightsKind.IMAGENET, WeightsKind.BUNDLED, WeightsKind.NONE)
    for kind in named:
        if weights == kind.value:
            return kind
    if not Path(weights).is_file():
        close = difflib.get_close_matches(weights, [kind.value for kind in named], n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        raise InputError(f"--weights {weights}: no such file; {hint}give imagenet, bundled, none or a FILE")
    check_name(weights, "--weights")
    if Path(weights).suffix not in (".safetensors", ".pth", ".pt"):
        raise InputError(f"--weights {weights}: not a .safetensors, .pth or .pt file")
    return WeightsKind.FILE


def load_starting_weights(weights: str, architecture: Architecture, progress: Progress) -> StartingWeights:
    """The weights named, or an InputError that says why not and what else could be given."""
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
            f"--weights bundled: {path.name} is missing from this installation; install it again"
        )
    return _read(path, WeightsKind.BUNDLED)


def _download_imagenet(architecture: Architecture, progress: Progress) -> StartingWeights:
    """torchvision's ImageNet weights, from its cache or by its own download code."""
    enum, _, member = architecture.imagenet_weights.partition(".")
    weights = getattr(import_torchvision_models(), enum)[member]
    cached = Path(torch.hub.get_dir()) / "checkpoints" / weights.url.rsplit("/", 1)[1]
    progress.begin(f"Fetching ImageNet weights ({cached.name})", 1)
    try:
        with _network_timeout():
            weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, URLError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(
            f"--weights imagenet: {weights.url} could not be fetched ({error}); start offline with "
            "--weights bundled, or give torchvision's checkpoint as --weights FILE"
        ) from error
    progress.advance()
    return _read(cached, WeightsKind.IMAGENET)


@contextmanager
def _network_timeout() -> Iterator[None]:
    """torchvision's download waits for ever on a network that swallows packets; ours must not."""
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
    """Raise an InputError unless the tensor is dense and real; whole numbers may only count batches."""
    remedy = "save the network's state_dict() as floats (torch.float32)"
    if value.is_meta or value.layout is not torch.strided:
        found = "without values (device meta)" if value.is_meta else f"sparse ({value.layout})"
        raise InputError(f"{path}: '{name}' is {found}; {remedy}")
    is_counter = name.endswith(".num_batches_tracked") and not value.is_complex()
    if not (value.is_floating_point() or is_counter):
        raise InputError(f"{path}: '{name}' holds {value.dtype}; {remedy}")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: not a readable safetensors file ({error})") from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    """A state dict, bare or under the usual keys; loaded as weights only, so that no code in it runs."""
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, OSError, ValueError, LookupError) as error:
        # torch's own messages are paragraphs of advice on how to run the code in the file.
        fault = (
            "it holds Python objects, not only tensors"
            if "Unsupported global" in str(error) or "TorchScript" in str(error)
            else "it is cut short, or torch.save did not write it"
        )
        raise InputError(
            f"{path}: not a checkpoint that loads as weights only: {fault}; save the network's state_dict()"
        ) from error
    for wrapper in ("state_dict", "model_state_dict", "model"):
        if isinstance(loaded, Mapping) and isinstance(loaded.get(wrapper), Mapping):
            loaded = loaded[wrapper]
    if not isinstance(loaded, Mapping) or not all(isinstance(value, Tensor) for value in loaded.values()):
        raise InputError(f"{path}: holds no state dict (tensors by name) but a {type(loaded).__name__}")
    return {str(name).removeprefix("module."): value for name, value in loaded.items()}


def apply_weights(network: ImageClassifier, weights: StartingWeights, architecture: Architecture) -> bool:
    """Load the weights into the network; True if their head fitted too, else it stays random.

    Counters of batch norms and the normalisation, which the network has of its own, may be absent.
    """
    if weights.kind is WeightsKind.NONE:
        return False
    wanted = network.state_dict()
    head = {name for name in wanted if name.startswith(architecture.head + ".")}
    head_fits = all(_shape(weights.tensors, name) == wanted[name].shape for name in head)
    chosen = {name: value for name, value in weights.tensors.items() if head_fits or name not in head}
    _check_fit(chosen, wanted, head, weights.name, architecture.name)
    network.load_state_dict({**wanted, **chosen})
    return head_fits


def _shape(tensors: Mapping[str, Tensor], name: str) -> torch.Size | None:
    return tensors[name].shape if name in tensors else None


def _check_fit(
    given: Mapping[str, Tensor], wanted: Mapping[str, Tensor], head: set[str], file: str, architecture: str
) -> None:
    """Raise an InputError that names the file and the first thing that does not fit."""
    own = {name for name in wanted if name.startswith("normalise.") or name.endswith(".num_batches_tracked")}
    missing = [name for name in wanted if name not in given and name not in head | own]
    unknown = [name for name in given if name not in wanted]
    other = [name for name in given if name in wanted and given[name].shape != wanted[name].shape]
    broken = [name for name in given if not bool(torch.isfinite(given[name]).all())]
    remedy = f"give a torchvision state dict of {architecture}"
    if missing:
        raise InputError(
            f"{file}: no {architecture} checkpoint: '{missing[0]}' is missing{_more(missing)}; {remedy}"
        )
    if unknown:
        raise InputError(
            f"{file}: no {architecture} checkpoint: '{unknown[0]}' is unknown{_more(unknown)}; {remedy}"
        )
    if other:
        shapes = f"is {tuple(given[other[0]].shape)}, should be {tuple(wanted[other[0]].shape)}"
        raise InputError(
            f"{file}: no {architecture} checkpoint: '{other[0]}' {shapes}{_more(other)}; {remedy}"
        )
    if broken:
        raise InputError(f"{file}: '{broken[0]}' holds values that are not finite{_more(broken)}; {remedy}")


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
