"""Loads the weights that fine-tuning starts from. It knows names and shapes of tensors, and no data."""

import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor

from models.architecture import Architecture, is_of_timm
from models.checkpoints.fitting import fit, unused
from models.checkpoints.reading import read_checkpoint
from models.errors import InputError
from models.network import WHOLE, ImageClassifier
from models.progress import Progress
from models.timm_weights import download_of_timm
from models.torchvision_import import import_torchvision_models
from models.weights_kind import WeightsKind, weights_kind
from user_files.own_folders import NO_HOME, is_below_no_home

BUNDLED = ("mobilenet_v2",)
"""The architectures whose weights come with edgefit."""
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
    """The tensors by torchvision's names, and others of the file."""
    notes: tuple[str, ...] = ()
    """What of the file was used, and what was changed, in sentences."""


def load_starting_weights(weights: str, architecture: Architecture, progress: Progress) -> StartingWeights:
    """Load the weights; raises an InputError that says why that fails and what else to give."""
    kind = weights_kind(weights)
    if kind is WeightsKind.NONE:
        return StartingWeights(kind, "none", None, {})
    if kind is WeightsKind.IMAGENET:
        return _download_imagenet(architecture, progress)
    if kind is WeightsKind.BUNDLED:
        return _read_bundled(architecture)
    return _read(Path(weights), kind, architecture)


def _read_bundled(architecture: Architecture) -> StartingWeights:
    path = BUNDLED_FOLDER / f"{architecture.name}_synthetic.safetensors"
    if path.is_file():
        return _read(path, WeightsKind.BUNDLED, architecture)
    own = "imagenet, none" if architecture.imagenet_weights else "none"
    if architecture.name in BUNDLED:
        problem = f"{path.name} is missing from edgefit; install edgefit again, or give --weights {own}"
    else:
        comes = f"edgefit comes with weights of {' and '.join(BUNDLED)} alone"
        problem = f"{comes}, and has none of {architecture.name}; give --weights {own}"
    raise InputError(f"--weights bundled: {problem} or a FILE")


def _download_imagenet(architecture: Architecture, progress: Progress) -> StartingWeights:
    """Return the ImageNet weights of torchvision or timm, from its cache or with its own download code."""
    if architecture.imagenet_weights is None:
        raise InputError(
            f"--weights imagenet: there are no ImageNet weights of {architecture.name}; give --weights none "
            "or a FILE"
        )
    if is_of_timm(architecture.name):
        of_timm = _read(download_of_timm(architecture, progress), WeightsKind.IMAGENET, architecture)
        return replace(of_timm, name=architecture.imagenet_weights)
    enum, _, member = architecture.imagenet_weights.partition(".")
    weights = getattr(import_torchvision_models(), enum)[member]
    folder = Path(torch.hub.get_dir())
    if is_below_no_home(folder):
        raise InputError(
            f"--weights imagenet: {NO_HOME}; set TORCH_HOME to a writable folder, to download into, or give "
            "torchvision's checkpoint as --weights FILE"
        )
    cached = folder / "checkpoints" / weights.url.rsplit("/", 1)[1]
    progress.begin(f"Loading ImageNet weights ({cached.name})", 1)
    try:
        with _network_timeout():
            weights.get_state_dict(progress=False, check_hash=True)
    except (OSError, URLError, RuntimeError, EOFError, ValueError) as error:
        raise InputError(
            f"--weights imagenet: {weights.url} could not be downloaded ({error}); without a network use "
            f"--weights {_offline(architecture)}, or give torchvision's checkpoint as --weights FILE"
        ) from error
    progress.advance()
    return _read(cached, WeightsKind.IMAGENET, architecture)


def _offline(architecture: Architecture) -> str:
    return "bundled" if architecture.name in BUNDLED else "none"


@contextmanager
def _network_timeout() -> Iterator[None]:
    """Limit torchvision's download, which waits for ever on a network that drops packets."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(NETWORK_TIMEOUT_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _read(path: Path, kind: WeightsKind, architecture: Architecture) -> StartingWeights:
    checkpoint = read_checkpoint(path)
    own = architecture.shapes()
    found = fit(checkpoint, own, architecture.key_of)
    others = [name for name in found.tensors if _is_other(architecture.key_of(name), own, architecture)]
    notes = [*found.notes, *_notes_on_names(list(found.tensors), others, architecture)]
    if kind is not WeightsKind.FILE:  # what is known of edgefit's and torchvision's files needs no word
        notes = []
    return StartingWeights(kind, path.name, checkpoint.sha256, found.tensors, tuple(notes))


def _notes_on_names(names: Sequence[str], others: Sequence[str], architecture: Architecture) -> Iterator[str]:
    of_timm = sum(architecture.is_of_timm(name) for name in names)
    if of_timm:
        yield f"{of_timm} names are timm's, and were changed to torchvision's."
    if others:
        yield f"{unused(others)}, for the network has no such names."


def _is_other(name: str, own: Mapping[str, Tensor], architecture: Architecture) -> bool:
    """Return whether a tensor is no part of the network, but of a head of another kind, or of a loss.

    A strange name among the features is of another network, which is an error.
    """
    features = {_part_of(key) for key in own if not _is_of_head(key, architecture)}
    return name not in own and _part_of(name) not in features


def _part_of(name: str) -> str:
    return name.removeprefix(WHOLE).partition(".")[0]


def _is_of_head(name: str, architecture: Architecture) -> bool:
    return name.startswith(f"{architecture.head}.")


def apply_weights(network: ImageClassifier, weights: StartingWeights, architecture: Architecture) -> bool:
    """Load the weights into the network. Return whether their head fitted; otherwise it stays random.

    The weights may lack the counters of batch norms and the normalisation: the network has its own.
    """
    if weights.kind is WeightsKind.NONE:
        return False
    own = network.state_dict()
    tensors = _named(weights, architecture)
    head = {name for name in own if _is_of_head(name, architecture)}
    head_fits = _misfit(tensors, own, architecture) is None
    chosen = {
        name: value
        for name, value in tensors.items()
        if not _is_other(name, own, architecture) and (head_fits or name not in head)
    }
    _check_fit(chosen, own, head, weights.name, architecture)
    network.load_state_dict({**own, **chosen})
    return head_fits


def head_note(network: ImageClassifier, weights: StartingWeights, architecture: Architecture) -> str | None:
    """Return why the network has a new head, in a sentence; None if it has the file's, or none was given."""
    tensors = _named(weights, architecture)
    name = _misfit(tensors, network.state_dict(), architecture)
    if name is None or weights.kind is not WeightsKind.FILE:
        return None
    if name not in tensors:
        return f"The features of {weights.name} were taken, and the head is new: the file has no '{name}'."
    return (
        f"The features of {weights.name} were taken, and the head is new: '{name}' of the file has the shape "
        f"{list(tensors[name].shape)}, and the classes need {list(network.state_dict()[name].shape)}."
    )


def _named(weights: StartingWeights, architecture: Architecture) -> dict[str, Tensor]:
    return {architecture.key_of(name): value for name, value in weights.tensors.items()}


def _misfit(
    tensors: Mapping[str, Tensor], own: Mapping[str, Tensor], architecture: Architecture
) -> str | None:
    """Return the first name of the head that is missing, or has another shape; None if the head fits."""
    head = (name for name in own if _is_of_head(name, architecture))
    return next(
        (name for name in head if name not in tensors or tensors[name].shape != own[name].shape), None
    )


def _check_fit(
    given: Mapping[str, Tensor],
    expected: Mapping[str, Tensor],
    head: set[str],
    file: str,
    architecture: Architecture,
) -> None:
    """Raise an InputError that names the file and the first tensor that does not fit."""
    optional = {
        name for name in expected if name.startswith("normalise.") or name.endswith(".num_batches_tracked")
    }
    missing = [name for name in expected if name not in given and name not in head | optional]
    unknown = [name for name in given if name not in expected]
    reshaped = [name for name in given if name in expected and given[name].shape != expected[name].shape]
    broken = [name for name in given if not bool(torch.isfinite(given[name]).all())]
    remedy = f"give a state dict of {architecture.in_words}"
    problem = f"{file} is not a {architecture.name} checkpoint"
    if missing:
        raise InputError(f"{problem}: '{missing[0]}' is missing{_more(missing)}; {remedy}")
    if unknown:
        raise InputError(f"{problem}: '{unknown[0]}' is unknown{_more(unknown)}; {remedy}")
    if reshaped:
        name = reshaped[0]
        shapes = f"is {list(given[name].shape)}, but must be {list(expected[name].shape)}"
        raise InputError(f"{problem}: '{name}' {shapes}{_more(reshaped)}; {remedy}")
    if broken:
        raise InputError(
            f"{file}: '{broken[0]}' contains values that are not finite{_more(broken)}, as after training "
            "that diverged; give weights from before that"
        )


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""
