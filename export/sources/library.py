"""Builds networks of torchvision and timm by name. It reads no weights and downloads nothing."""

import contextlib
import difflib
import importlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Protocol

from torch import nn

from bench.bundle.input_preprocessing import CROP_MODES, UNIT_SCALE, Interpolation
from bench.errors import InputError, MissingRuntimeError
from bench.install_command import install_command
from export.sources.spec import StatedPreprocess
from models.torchvision_import import import_torchvision_models

_PILLOW: tuple[Interpolation, ...] = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")


@dataclass(frozen=True)
class Build:
    """How a network differs from the library's own; None: as the library has it."""

    classes: int | None = None
    """How many outputs it has."""
    channels: int | None = None
    """How many channels its input has."""
    size: tuple[int, int] | None = None
    """Height and width of its input, for networks that are made for one size."""


class Library(Protocol):
    """A library of networks."""

    @property
    def producer(self) -> str:
        """The library and its version."""

    def build(self, name: str, build: Build) -> nn.Module:
        """Return a network with random weights, in eval mode. Raises InputError for an unknown name."""

    def stated(self, name: str) -> StatedPreprocess | None:
        """Return what the library states of the preprocessing of its own weights, for three channels."""


class Torchvision:
    """The classification networks of torchvision."""

    def __init__(self) -> None:
        self._models: ModuleType = import_torchvision_models()

    @property
    def producer(self) -> str:
        """The library and its version."""
        version: str = importlib.import_module("torchvision").__version__
        return f"torchvision {version.partition('+')[0]}"

    def build(self, name: str, build: Build) -> nn.Module:
        """Return a network with random weights, in eval mode. Raises InputError for an unknown name."""
        known = self._models.list_models(module=self._models)
        if name not in known:
            raise InputError(_unknown("torchvision", name, known))
        options: dict[str, object] = {} if build.classes is None else {"num_classes": build.classes}
        if build.size is not None and name.startswith("vit_") and len(set(build.size)) == 1:
            options["image_size"] = build.size[0]
        with _quietly():
            network: nn.Module = self._models.get_model(name, weights=None, **options)
        if build.channels is not None:
            _replace_stem(network, build.channels)
        return network.eval()

    def stated(self, name: str) -> StatedPreprocess | None:
        """Return what the transforms of the default weights state."""
        transforms = self._models.get_model_weights(name).DEFAULT.transforms()
        crop, resize = transforms.crop_size[0], transforms.resize_size[0]
        return StatedPreprocess(
            origin=f"torchvision's transforms of {name}",
            size=(crop, crop),
            resize="crop",
            crop_pct=crop / resize,
            interpolation=next(word for word in _PILLOW if word == transforms.interpolation.value),
            scale=UNIT_SCALE,
            mean=tuple(transforms.mean),
            std=tuple(transforms.std),
            channels="rgb",
        )


class Timm:
    """The networks of timm."""

    def __init__(self) -> None:
        import_torchvision_models()  # timm imports torchvision
        try:
            self._timm: ModuleType = importlib.import_module("timm")
        except ModuleNotFoundError as error:
            if error.name != "timm":
                raise
            raise MissingRuntimeError(
                f"timm is not installed here; install it with: {install_command('timm')}"
            ) from None

    @property
    def producer(self) -> str:
        """The library and its version."""
        return f"timm {self._timm.__version__}"

    def build(self, name: str, build: Build) -> nn.Module:
        """Return a network with random weights, in eval mode. Raises InputError for an unknown name."""
        if not self._timm.is_model(name):
            raise InputError(_unknown("timm", name, self._timm.list_models()))
        stated = {"num_classes": build.classes, "in_chans": build.channels}
        options: dict[str, object] = {key: value for key, value in stated.items() if value is not None}
        config = self._timm.get_pretrained_cfg(name)
        if build.size is not None and config is not None and config.fixed_input_size:
            options["img_size"] = build.size
        with _quietly():
            network: nn.Module = self._timm.create_model(name, pretrained=False, **options)
        return network.eval()

    def stated(self, name: str) -> StatedPreprocess | None:
        """Return what the configuration of the weights states; None if the network has none."""
        config = self._timm.get_pretrained_cfg(name)
        if config is None:
            return None
        return StatedPreprocess(
            origin=f"timm's config of {name}",
            size=(config.input_size[1], config.input_size[2]),
            resize=CROP_MODES.get(config.crop_mode),
            crop_pct=config.crop_pct,
            interpolation=next((word for word in _PILLOW if word == config.interpolation), None),
            scale=UNIT_SCALE,
            mean=tuple(config.mean),
            std=tuple(config.std),
            channels="rgb",
        )


def for_channels(stated: StatedPreprocess, channels: int) -> StatedPreprocess:
    """Return what holds of it for a network of so many channels.

    One channel has the numbers of three that are equal. Of others, nothing is stated.
    """
    if stated.mean is not None and len(stated.mean) == channels:
        return stated
    numbers = {}
    for key, values in (("mean", stated.mean), ("std", stated.std)):
        are_equal = values is not None and len(set(values)) == 1 and channels == 1
        numbers[key] = values[:1] if are_equal and values is not None else None
    if None in numbers.values():
        numbers = dict.fromkeys(numbers)
    return stated.model_copy(update={**numbers, "channels": "grey" if channels == 1 else None})


def stem_of(network: nn.Module) -> tuple[str, nn.Conv2d] | None:
    """Return the first convolution, which reads the image, with its name; None if there is none."""
    convolutions = (pair for pair in network.named_modules() if isinstance(pair[1], nn.Conv2d))
    for name, module in convolutions:
        assert isinstance(module, nn.Conv2d)
        return name, module
    return None


def _replace_stem(network: nn.Module, channels: int) -> None:
    stem = stem_of(network)
    if stem is None:
        return
    name, old = stem
    padding = old.padding
    assert not isinstance(padding, str)
    new = nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]
        old.stride,  # type: ignore[arg-type]
        padding,  # type: ignore[arg-type]
        old.dilation,  # type: ignore[arg-type]
        bias=old.bias is not None,
    )
    network.set_submodule(name, new)


def _unknown(library: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 3, 0.5)
    suggestion = f"did you mean {' or '.join(close)}?" if close else "name one of its classifiers"
    return f"{library}/{name}: {library} has no classifier of this name; {suggestion}"


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Build without the libraries' warnings about weights that are not loaded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
