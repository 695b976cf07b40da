"""A torch program as a source: a `.pt2` file that torch.export.save wrote."""

import logging
import warnings
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import fx, nn
from torch.export import ExportedProgram
from torch.utils import _pytree as pytree

from bench.bundle.signature import (
    Inputs,
    Outputs,
    Signature,
    StatedInput,
    Tensor,
    named_shapes,
    refuse_huge,
    with_shapes,
)
from bench.bundle.user_code import user_code
from bench.bundle.variants import Precision
from bench.errors import InputError, first_sentence
from export.sources.finite_weights import of_network, refuse_not_finite
from export.sources.layered import layered_network
from export.sources.source import NotLayeredError
from export.sources.spec import OpenSource, SourceDescription, SourceSpec, StatedShape
from export.sources.torch_network import dtype_of, exported, flat_outputs, named_outputs
from user_files.faults import why_unreadable
from user_files.zip_names import names_in_any

_QUANTISED = ("quantized", "torchao")
_HALVES = (torch.float16, torch.bfloat16)


class TorchProgramSource:
    """The program of a `.pt2` file."""

    def __init__(self, source: OpenSource) -> None:
        """Read the file; raises InputError if it is damaged."""
        self._name, self._inputs = source.spec.name, source.inputs
        self._program = read_program(Path(source.spec.name))
        self._module = _module_of(self._program)

    def run(self, inputs: Inputs) -> Outputs:
        """Run the program in PyTorch."""
        with user_code(self._name), torch.inference_mode():
            return flat_outputs(_call(self._program, self._module, [torch.from_numpy(a) for a in inputs]))

    def layered(self) -> fx.GraphModule:
        """Return the program's layers; raises NotLayeredError if there are none, or if it is quantised."""
        if _precision(self._program) is Precision.INT8:
            raise NotLayeredError("the program is quantised already")
        if all(tensor.is_fixed for tensor in _stated_inputs(self._program)):
            return layered_network(self._program)
        zeros = [torch.zeros(tensor.sizes, dtype=dtype_of(tensor)) for tensor in self._inputs]
        return layered_network(exported(self._module, *_arguments(self._program, zeros)))

    def base(self) -> None:
        """Return nothing: every format is made of the network."""
        return


def describe_program(spec: SourceSpec, shapes: Sequence[StatedShape]) -> SourceDescription:
    """Return what a program takes and gives; an open first axis is 1. Raises InputError if it cannot run."""
    program, name = read_program(Path(spec.name)), Path(spec.name).name
    tensors = _stated_inputs(program)
    stated = {shape.name: StatedInput(shape.shape, shape.dtype) for shape in shapes}
    named = named_shapes(name, Signature(inputs=tensors, outputs=()), stated)
    inputs = with_shapes(name, tensors, named)
    refuse_huge(name, inputs)
    refuse_not_finite(name, of_network(_module_of(program)))
    zeros = [torch.zeros(tensor.sizes, dtype=dtype_of(tensor)) for tensor in inputs]
    with user_code(name, "it was run on zeros; export it again"), torch.inference_mode():
        outputs = flat_outputs(_call(program, _module_of(program), zeros))
    return SourceDescription(
        signature=Signature(inputs=inputs, outputs=named_outputs(name, outputs)),
        precision=_precision(program),
        producer=f"pytorch {torch.__version__.partition('+')[0]}",
    )


@lru_cache(maxsize=1)
def read_program(path: Path) -> ExportedProgram:
    """Read a `.pt2` file; raises InputError if it is damaged, or was made for AOTInductor."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a file that torch.export.save wrote")
    if _is_compiled(path):
        raise InputError(
            f"{path}: is an AOTInductor package, which is compiled for one machine; give the program that it "
            "was made of, saved with torch.export.save(program, FILE)"
        )
    logger = logging.getLogger("torch.export")
    was_disabled, logger.disabled = logger.disabled, True  # it logs the error's traceback, too
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch deprecates its own internals while loading
            return torch.export.load(path)
    except Exception as error:
        reason = first_sentence(str(error)) or type(error).__name__
        raise InputError(
            why_unreadable(path)
            or f"{path}: cannot be loaded as a program of torch.export ({reason}); save it again with "
            f"torch.export.save, with torch {torch.__version__.partition('+')[0]}"
        ) from error
    finally:
        logger.disabled = was_disabled


def _is_compiled(path: Path) -> bool:
    names = names_in_any(path)
    is_compiled = any("aotinductor/" in name for name in names)
    return is_compiled and not any("models/" in name and name.endswith(".json") for name in names)


def _module_of(program: ExportedProgram) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return program.module(check_guards=False)


def _stated_inputs(program: ExportedProgram) -> tuple[Tensor, ...]:
    names = program.graph_signature.user_inputs
    nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
    return tuple(_tensor(nodes, name) for name in names)


def _tensor(nodes: dict[str, fx.Node], name: object) -> Tensor:
    value = nodes[name].meta["val"] if isinstance(name, str) and name in nodes else name
    if not isinstance(value, torch.Tensor):
        raise InputError(
            f"the program's input {name!r} is no tensor; export it again with tensors as its only inputs"
        )
    assert isinstance(name, str)
    shape = tuple(size if isinstance(size, int) else str(size) for size in value.shape)
    return Tensor(name=name, dtype=str(value.dtype).removeprefix("torch."), shape=shape)


def _arguments(
    program: ExportedProgram, values: Sequence[torch.Tensor]
) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
    """Return flat inputs as the arguments that the program takes."""
    args, kwargs = pytree.tree_unflatten(list(values), program.call_spec.in_spec)
    return args, kwargs


def _call(program: ExportedProgram, module: nn.Module, values: Sequence[torch.Tensor]) -> object:
    args, kwargs = _arguments(program, values)
    return module(*args, **kwargs)


def _precision(program: ExportedProgram) -> Precision:
    """Return int8 with quantised operators, fp16 with most weights in half precision, else fp32."""
    targets = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    if any(target.startswith(_QUANTISED) for target in targets):
        return Precision.INT8
    weights = [weight for weight in program.state_dict.values() if weight.is_floating_point()]
    halves = sum(weight.numel() for weight in weights if weight.dtype in _HALVES)
    return Precision.FP16 if halves * 2 > sum(weight.numel() for weight in weights) else Precision.FP32
