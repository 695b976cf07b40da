"""Networks in Python as sources: of torchvision, of timm, or returned by a user's function.

It knows how such a network is built for its weights, and what it takes; `layered.py` makes layers of it.
"""

import contextlib
import inspect
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import fx, nn
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from bench.bundle.signature import (
    UNKNOWN_DTYPE,
    Inputs,
    OpenShapeError,
    Outputs,
    Signature,
    StatedInput,
    Tensor,
    named_shapes,
    refuse_huge,
    with_shapes,
)
from bench.bundle.source_record import SourceKind
from bench.bundle.user_code import user_code
from bench.bundle.variants import Precision
from bench.errors import InputError, first_sentence
from export.sources.finite_weights import of_network, refuse_not_finite
from export.sources.layered import layered_network
from export.sources.library import Build, Library, Timm, Torchvision, for_channels, stem_of
from export.sources.named_function import function_at
from export.sources.source import NotLayeredError
from export.sources.spec import (
    DescribedWeights,
    OpenSource,
    SourceDescription,
    SourceSpec,
    StatedPreprocess,
    StatedShape,
)
from export.sources.weights import Weights, load_into, read_weights
from models.torchvision_import import import_torchvision_models

_IMAGE_AXES = 4
_ONE_OUTPUT = "logits"
_WITHOUT_BRANCHES = "let no branch or loop of its forward depend on values: use torch.where or torch.cond"


@dataclass(frozen=True)
class Opened:
    """A network with its weights."""

    network: nn.Module
    """In eval mode, in fp32."""
    producer: str
    """Which library has it."""
    stated: StatedPreprocess | None = None
    """The preprocessing that the library states."""
    weights: Weights | None = None
    """The weights of a file; None for those that a function's network has by itself."""


class TorchNetworkSource:
    """A network in Python."""

    def __init__(self, source: OpenSource) -> None:
        """Build the network; raises InputError if that fails."""
        self._name, self._inputs = source.spec.name, source.inputs
        self._network = open_network(source.spec, size_of(source.inputs)).network

    def run(self, inputs: Inputs) -> Outputs:
        """Run the network in PyTorch."""
        with user_code(self._name), torch.inference_mode():
            return flat_outputs(_call(self._network, self._inputs, [torch.from_numpy(a) for a in inputs]))

    def layered(self) -> fx.GraphModule:
        """Return the network's layers; raises NotLayeredError if torch cannot export it."""
        example = [torch.zeros(tensor.sizes, dtype=dtype_of(tensor)) for tensor in self._inputs]
        return layered_network(exported(self._network, *_arguments(self._network, self._inputs, example)))

    def base(self) -> None:
        """Return nothing: every format is made of the network."""
        return


def describe_network(spec: SourceSpec, shapes: Sequence[StatedShape]) -> SourceDescription:
    """Return what a network takes and gives, by running it once on zeros. Raises InputError if it fails."""
    stated = {shape.name: StatedInput(shape.shape, shape.dtype) for shape in shapes}
    opened = open_network(spec, _size_in(stated))
    if spec.kind is SourceKind.FUNCTION and spec.weights is None:
        _refuse_random_weights(spec, opened.network)
    inputs = _inputs(spec, opened, stated)
    refuse_huge(spec.name, inputs)
    zeros = [torch.zeros(tensor.sizes, dtype=dtype_of(tensor)) for tensor in inputs]
    shape = " ".join(tensor.words for tensor in inputs)
    remedy = f"it was run on zeros, {shape}; state another --shape, or correct it"
    with user_code(spec.name, remedy), torch.inference_mode():
        outputs = flat_outputs(_call(opened.network, inputs, zeros))
        again = flat_outputs(_call(opened.network, inputs, zeros))
    _refuse_random_outputs(spec.name, outputs, again)
    return SourceDescription(
        signature=Signature(inputs=inputs, outputs=named_outputs(spec.name, outputs)),
        precision=Precision.FP32,
        producer=opened.producer,
        stated=opened.stated,
        weights=_described(opened.weights),
    )


def _described(weights: Weights | None) -> DescribedWeights | None:
    return None if weights is None else DescribedWeights(sha256=weights.sha256, notes=weights.notes)


def _refuse_random_weights(spec: SourceSpec, network: nn.Module) -> None:
    """Raise InputError for a function that builds other weights at every call.

    Each process builds the network anew, so that every file would be of another network.
    """
    other = _built(spec).state_dict()
    for name, value in network.state_dict().items():
        if name not in other or not torch.equal(torch.nan_to_num(value), torch.nan_to_num(other[name])):
            raise InputError(
                f"{spec.name}: builds other weights at every call ({name} differs); give the trained ones "
                "with --weights FILE, or load them in the function; for an untrained network, call "
                "torch.manual_seed(0) in it"
            )


def _refuse_random_outputs(name: str, outputs: Outputs, again: Outputs) -> None:
    for first, second in zip(outputs, again, strict=True):
        if not np.allclose(first, second, equal_nan=True):
            raise InputError(
                f"{name}: gives other outputs for the same input at every call; let its forward draw no "
                "random numbers in eval mode"
            )


def open_network(spec: SourceSpec, size: tuple[int, int] | None) -> Opened:
    """Build a network for its weights and load them; `size`: height and width of its input, if known.

    Raises InputError if a weight is no finite number.
    """
    opened = _opened(spec, size)
    refuse_not_finite(spec.weights or spec.name, of_network(opened.network))
    return opened


def _opened(spec: SourceSpec, size: tuple[int, int] | None) -> Opened:
    match spec.kind:
        case SourceKind.FUNCTION:
            return _of_function(spec)
        case SourceKind.TORCHVISION:
            return _of_library(spec, Torchvision(), size)
        case _:
            return _of_library(spec, Timm(), size)


def _of_library(spec: SourceSpec, library: Library, size: tuple[int, int] | None) -> Opened:
    own_name = spec.name.partition("/")[2]
    build = Build(size=size)
    network = library.build(own_name, build)
    if spec.weights is None:
        raise InputError(
            f"{spec.name}: has random weights without a file, and edgefit downloads none; give yours with "
            "--weights FILE (.safetensors, or what torch.save wrote of network.state_dict())"
        )
    weights = read_weights(Path(spec.weights), network)
    fitted = _fitted(network, weights, build)
    if fitted != build:
        network = library.build(own_name, fitted)
    load_into(network, weights, spec.name)
    stated, stem = library.stated(own_name), stem_of(network)
    if stated is not None and stem is not None:
        stated = for_channels(stated, stem[1].in_channels)
    return Opened(network.requires_grad_(False), library.producer, stated, weights)


def _fitted(network: nn.Module, weights: Weights, build: Build) -> Build:
    """Return the build whose classes and channels are those of the weights, as their shapes tell."""
    own, stem = network.state_dict(), stem_of(network)
    stem_weight = None if stem is None else f"{stem[0]}.weight"
    for name, value in weights.tensors.items():
        if name not in own or own[name].dim() != value.dim():
            continue
        shape, usual = value.shape, own[name].shape
        if name == stem_weight and shape[0] == usual[0] and shape[1] != usual[1]:
            build = replace(build, channels=shape[1])
        elif len(shape) > 1 and shape[1:] == usual[1:] and shape[0] != usual[0]:
            build = replace(build, classes=shape[0])
    return build


def _of_function(spec: SourceSpec) -> Opened:
    network, weights = _built(spec), None
    if spec.weights is not None:
        weights = read_weights(Path(spec.weights), network)
        load_into(network, weights, spec.name)
    return Opened(network, f"pytorch {torch.__version__.partition('+')[0]}", weights=weights)


def _built(spec: SourceSpec) -> nn.Module:
    """Return the network of a user's function, in eval mode and fp32. Raises InputError if it gives none."""
    assert spec.folder is not None
    with contextlib.suppress(ModuleNotFoundError):
        import_torchvision_models()  # the user's code may import it, with a torch that it was not built for
    function = function_at(spec.name, spec.folder)
    with user_code(spec.name):
        network = function()
    if not isinstance(network, nn.Module):
        raise InputError(
            f"{spec.name}: returned {type(network).__name__}, not a network; let it return a torch.nn.Module"
        )
    return network.eval().to("cpu", torch.float32).requires_grad_(False)


def _inputs(spec: SourceSpec, opened: Opened, stated: Mapping[str, StatedInput]) -> tuple[Tensor, ...]:
    """Return the inputs with fixed shapes: as stated, or as the library has them."""
    named = {name for name in stated if name}
    tensors = tuple(
        Tensor(name=name, dtype=UNKNOWN_DTYPE, shape=None) for name in _names(opened.network, named)
    )
    shapes = named_shapes(spec.name, Signature(inputs=tensors, outputs=()), stated)
    own = _own_shape(opened)
    if not shapes and own is not None and len(tensors) == 1:
        shapes = {tensors[0].name: own}
    try:
        return with_shapes(spec.name, tensors, shapes)
    except OpenShapeError as error:
        raise InputError(str(error)) from None


def _own_shape(opened: Opened) -> tuple[int, ...] | None:
    stem = stem_of(opened.network)
    if opened.stated is None or opened.stated.size is None or stem is None:
        return None
    return (1, stem[1].in_channels, *opened.stated.size)


def _names(network: nn.Module, stated: set[str]) -> list[str]:
    """Return the names of the arguments that the network must have, and of others whose shape is stated."""
    parameters = inspect.signature(network.forward).parameters.values()
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = [
        parameter.name
        for parameter in parameters
        if parameter.kind not in variable
        and (parameter.default is inspect.Parameter.empty or parameter.name in stated)
    ]
    return named or ["input"]


def _arguments(
    network: nn.Module, inputs: Sequence[Tensor], values: Sequence[torch.Tensor]
) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
    """Return the arguments by position, and those that have defaults by name."""
    parameters = inspect.signature(network.forward).parameters
    optional = {
        tensor.name
        for tensor in inputs
        if tensor.name in parameters and parameters[tensor.name].default is not inspect.Parameter.empty
    }
    pairs = list(zip((tensor.name for tensor in inputs), values, strict=True))
    return (
        tuple(value for name, value in pairs if name not in optional),
        {name: value for name, value in pairs if name in optional},
    )


def _call(network: nn.Module, inputs: Sequence[Tensor], values: Sequence[torch.Tensor]) -> object:
    args, kwargs = _arguments(network, inputs, values)
    return network(*args, **kwargs)


def exported(
    network: nn.Module, args: tuple[torch.Tensor, ...], kwargs: dict[str, torch.Tensor]
) -> ExportedProgram:
    """Export a network with torch.export; raises NotLayeredError with torch's reason if it cannot be."""
    has_fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # its operator is one whole layer, without its weights
    try:
        with warnings.catch_warnings(), torch.no_grad(), contextlib.redirect_stdout(sys.stderr):
            warnings.simplefilter("ignore")  # torch deprecates its own internals while exporting
            return torch.export.export(network, args, kwargs, strict=False)
    except Exception as error:
        raise NotLayeredError(
            f"torch.export cannot export the network ({type(error).__name__}: {first_sentence(str(error))}); "
            f"{_WITHOUT_BRANCHES}"
        ) from error
    finally:
        torch.backends.mha.set_fastpath_enabled(has_fast_path)


def flat_outputs(outputs: object) -> Outputs:
    """Return all tensors of nested outputs as arrays."""
    leaves = pytree.tree_leaves(outputs)
    return [leaf.contiguous().numpy() for leaf in leaves if isinstance(leaf, torch.Tensor)]


def named_outputs(name: str, outputs: Outputs) -> tuple[Tensor, ...]:
    """Return the outputs with names. Raises InputError if there is none."""
    if not outputs:
        raise InputError(f"{name}: gives no tensor; let its forward return one, or a tuple of them")
    names = [_ONE_OUTPUT] if len(outputs) == 1 else [f"output_{index}" for index in range(len(outputs))]
    return tuple(
        Tensor(name=name, dtype=str(array.dtype), shape=array.shape)
        for name, array in zip(names, outputs, strict=True)
    )


def dtype_of(tensor: Tensor) -> torch.dtype:
    """Return torch's type of a tensor's elements."""
    dtype: torch.dtype = getattr(torch, tensor.dtype)
    return dtype


def size_of(inputs: Sequence[Tensor]) -> tuple[int, int] | None:
    """Return height and width of the only input, if it is an image in torch's order of axes."""
    if len(inputs) != 1 or len(inputs[0].sizes) != _IMAGE_AXES:
        return None
    return inputs[0].sizes[2], inputs[0].sizes[3]


def _size_in(stated: Mapping[str, StatedInput]) -> tuple[int, int] | None:
    shapes = [shape.shape for shape in stated.values()]
    if len(shapes) != 1 or len(shapes[0]) != _IMAGE_AXES:
        return None
    return shapes[0][2], shapes[0][3]
