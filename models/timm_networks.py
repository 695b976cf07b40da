"""What edgefit knows of a network of timm: which parameters are a block's, and which the classifier's.

timm itself divides its networks into groups from the input to the output, for learning rates by depth. Those
before the classifier's are the blocks. A network without such groups is one block.
"""

import contextlib
import difflib
import functools
import importlib
import warnings
from collections.abc import Iterator
from types import ModuleType

import torch
from torch import nn

from models.architecture import IMAGENET_MEAN, IMAGENET_STD, TIMM, Architecture, by_share
from models.errors import InputError
from models.network import WHOLE, Blocks
from models.torchvision_import import import_torchvision_models

_NORMALISE = "normalise."
_ANY_CLASSES = 2


@functools.lru_cache(maxsize=8)
def timm_architecture(name: str, side: int | None) -> Architecture:
    """Return what is known of the network `timm/NAME` for images of this side.

    Raises InputError if timm has no such network, or one that edgefit cannot give another number of classes.
    """
    own_name = name.removeprefix(TIMM)
    _refuse_unknown(own_name)
    with torch.random.fork_rng(devices=[]):  # a network begins with random weights
        network = _create(own_name, _ANY_CLASSES, side)
    head = _head_of(name, network)
    blocks = len(_blocks_of(network, head))
    config = network.pretrained_cfg
    assert isinstance(config, dict)
    return Architecture(
        name=name,
        layers=lambda classes: _divided(own_name, classes, side, head),
        blocks=blocks,
        unfreeze=by_share(blocks),
        head=f"{WHOLE}{head}",
        cam=None,
        imagenet_weights=config.get("hf_hub_id"),
        # The first two are for a run folder's own file.
        key_map=((WHOLE, WHOLE), (_NORMALISE, _NORMALISE), ("", WHOLE)),
        mean=tuple(config.get("mean") or IMAGENET_MEAN),
        std=tuple(config.get("std") or IMAGENET_STD),
    )


def _timm() -> ModuleType:
    import_torchvision_models()  # timm imports torchvision
    return importlib.import_module("timm")


def _refuse_unknown(own_name: str) -> None:
    timm = _timm()
    if timm.is_model(own_name):
        return
    close = difflib.get_close_matches(own_name, timm.list_models(), 3, 0.5)
    hint = f"did you mean {' or '.join(TIMM + match for match in close)}?" if close else "name one of its own"
    raise InputError(f"--arch {TIMM}{own_name}: timm has no classifier of this name; {hint}")


def _create(own_name: str, classes: int, side: int | None) -> nn.Module:
    timm = _timm()
    options: dict[str, object] = {"num_classes": classes}
    try:
        config = timm.get_pretrained_cfg(own_name)
        if side is not None and config is not None and config.fixed_input_size:
            options["img_size"] = side
        with _quietly():
            network: nn.Module = timm.create_model(own_name, pretrained=False, **options)
    except (AssertionError, RuntimeError, TypeError, ValueError) as error:
        size = "" if side is None else f" for images of {side} by {side} pixels"
        raise InputError(
            f"--arch {TIMM}{own_name}: timm cannot build this network{size} ({_first_line(error)}); "
            "give another --image-size or --arch"
        ) from error
    return network


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Build without timm's warnings about names of before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _head_of(name: str, network: nn.Module) -> str:
    """Return the name of the last layer; raises InputError unless there is exactly one."""
    config = network.pretrained_cfg
    assert isinstance(config, dict)
    head = config.get("classifier")
    parameters = dict(network.named_parameters())
    if isinstance(head, str) and f"{head}.weight" in parameters:
        return head
    count = len(head) if isinstance(head, (tuple, list)) else 0
    last = f"{count} last layers" if count > 1 else "no last layer that timm names"
    raise InputError(
        f"--arch {name}: has {last}, but edgefit needs one to replace it for your classes; "
        "choose another network of timm"
    )


def _divided(own_name: str, classes: int, side: int | None, head: str) -> Blocks:
    network = _create(own_name, classes, side)
    return Blocks(network, _blocks_of(network, head))


def _blocks_of(network: nn.Module, head: str) -> tuple[tuple[str, ...], ...]:
    """Return the names of each block's parameters. What timm groups with the last layer is the classifier."""
    names = [name for name, _ in network.named_parameters()]
    matcher = getattr(network, "group_matcher", None)
    groups: dict[str, int] = {}
    if matcher is not None:
        group = importlib.import_module("timm.models").group_parameters
        groups = group(network, matcher(coarse=False), reverse=True)
    numbers = sorted(set(groups.values()) - {groups.get(f"{head}.weight")})
    if not numbers:
        return (tuple(name for name in names if not name.startswith(f"{head}.")),)
    return tuple(tuple(name for name in names if groups[name] == number) for number in numbers)
